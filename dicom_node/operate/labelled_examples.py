"""Labelled studies, of a folder or of the archive, prepared as a network sees them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dicom_node.config import Settings
from dicom_node.decoding.decoder import decoding
from dicom_node.errors import ConfigError
from dicom_node.migrations import require_current
from dicom_node.operate.labelled_studies import archived_studies, kept_labels, prepared_dir
from dicom_node.places import archive_dir
from dicom_node.store import Store
from models.training.example_store import ExampleStore
from models.training.gathering import Gathered, gather
from models.training.groups import GROUPS
from models.training.labels import Labels, read_labels
from models.training.studies import Found, Say, find_studies
from pipeline.preprocessing import Preprocessing


@dataclass(frozen=True, slots=True)
class Source:
    """Where labels and studies are.

    `labels` is a file; None stands for those that `dicom-node labels` keeps. `images` is a folder; None
    stands for this node's archive. `group_by` may name a column of the labels.
    """

    labels: Path | None
    column: str
    images: Path | None
    cache: Path | None = None
    group_by: str = ""

    def __post_init__(self) -> None:
        if self.labels is None and self.images is not None:
            raise ConfigError(
                "say what is known of the studies: --labels FILE; the node keeps labels of its own studies "
                "only (--from-archive)"
            )


def known_labels(source: Source, settings: Settings) -> Labels:
    """What is known of which studies.

    Raises TrainingRefused if the labels are not sound, NodeError if the node's cannot be read.
    """
    column = "" if source.group_by in GROUPS else source.group_by
    if source.labels is not None:
        return read_labels(source.labels, source.column, column)
    if column:
        raise ConfigError(f"the labels that the node keeps have no column {column!r} to group by")
    with _store(settings) as store:
        return kept_labels(store, source.column)


def examples_from(
    source: Source, labels: Labels, recipe: Preprocessing, settings: Settings, say: Say
) -> Gathered:
    """The labelled studies, prepared by `recipe`; what was prepared before is not prepared again.

    A process apart reads the files, confined as `model.confined` says; what ends it costs its own study.

    Raises TrainingRefused if labels and images do not fit together, NodeError if the archive cannot be read.
    """
    store = ExampleStore(prepared_dir(settings, source.cache), recipe)
    images = source.images or archive_dir(settings)
    with decoding(images, settings.data_dir, settings.model) as decoder:
        if source.images is not None:
            found = find_studies(source.images, store.files(), say, decoder.filed)
        else:
            found = _archived(labels, settings)
        return gather(labels, found, store, recipe, say, decoder.prepared)


def one_source(images: Path | None, from_archive: bool) -> Path | None:
    """The folder to read, None for the archive. Raises ConfigError unless exactly one is asked for."""
    if from_archive == (images is not None):
        raise ConfigError("say where the studies are: either --images DIR or --from-archive")
    return images


def _archived(labels: Labels, settings: Settings) -> Found:
    with _store(settings) as node_store:
        return archived_studies(node_store, settings, labels)


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    require_current(settings.database_url)
    store = Store(settings.database_url)
    try:
        yield store
    finally:
        store.close()
