"""How commands that learn or judge come to labelled studies: said, written down, shown."""

from dataclasses import dataclass
from typing import final

from dicom_node.cli.audit import record
from dicom_node.cli.train_options import Sources
from dicom_node.cli.train_view import telling_of_studies
from dicom_node.config import Settings
from dicom_node.operate.labelled_examples import Source, examples_from, known_labels, one_source
from models.training.gathering import Gathered
from models.training.labels import Labels
from pipeline.preprocessing import Preprocessing


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


def labelled(told: Sources, column: str, settings: Settings, command: str, group_by: str = "") -> Labelled:
    """Read the labels. That `command` takes studies from the archive goes into the audit log first."""
    images = one_source(told.images, told.from_archive)
    source = Source(told.labels, column, images, told.cache, group_by)
    labels = known_labels(source, settings)
    if images is None:
        record(settings, command, detail=f"{len(labels.by_study)} labelled studies from the archive")
    return Labelled(source, labels, settings)
