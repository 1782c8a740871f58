"""How commands that learn or judge come to labelled studies: said, written down, shown."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, final

from dicom_node.cli.audit import record
from dicom_node.cli.train_view import telling_of_studies
from dicom_node.config import Settings
from dicom_node.operate.labelled_examples import Source, examples_from, known_labels, one_source
from models.training.gathering import Gathered
from models.training.labels import Labels
from pipeline.preprocessing import Preprocessing


class Told(Protocol):
    """The options by which labels and studies are named."""

    @property
    def labels(self) -> Path | None: ...
    @property
    def images(self) -> Path | None: ...
    @property
    def from_archive(self) -> bool: ...
    @property
    def cache(self) -> Path | None: ...


@final
@dataclass(frozen=True, slots=True)
class Labelled:
    """Studies whose labels are read; they themselves are not yet."""

    source: Source
    labels: Labels
    settings: Settings

    def prepared(self, recipe: Preprocessing) -> Gathered:
        """The studies as a network of this recipe sees them, with a bar meanwhile."""
        with telling_of_studies() as say:
            return examples_from(self.source, self.labels, recipe, self.settings, say)


def labelled(told: Told, column: str, settings: Settings, command: str, group_by: str = "") -> Labelled:
    """Read the labels. That `command` takes studies from the archive goes into the audit log first."""
    images = one_source(told.images, told.from_archive)
    source = Source(told.labels, column, images, told.cache, group_by)
    labels = known_labels(source, settings)
    if images is None:
        record(settings, command, detail=f"{len(labels.by_study)} labelled studies from the archive")
    return Labelled(source, labels, settings)
