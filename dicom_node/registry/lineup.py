"""Who reads the next study: the models that are active, first to last, each with what it is asked with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from dicom_node.registry.shelf import Shelf
from dicom_node.store.model_records import BEGINNING, CONFIGURED, Deed, ModelAct
from dicom_node.store.registered import RegisteredModels
from models import Manifest, read_manifest


@dataclass(frozen=True, slots=True)
class Reader:
    """One active model.

    Attributes:
        reference: its bundle's digest, or `CONFIGURED`.
        folder: of its bundle; None for the one that ships with the node.
        threshold: the operating point that config.yaml sets, 0..1; None: the model's own.
        manifest: what it says about itself.
    """

    reference: str
    folder: Path | None
    threshold: float | None
    manifest: Manifest

    @property
    def key(self) -> tuple[str, ...]:
        """What an answer of this model depends on, beside the images and the site's choices."""
        if self.reference != CONFIGURED:
            return (self.reference,)
        return (self.manifest.weights_sha256, self.manifest.preprocessing.sha256)


@final
@dataclass(frozen=True, slots=True)
class Readers:
    """Knows the models in use, at any moment.

    Args:
        registered: where it is remembered which are active.
        shelf: where they lie.
        bundle: what config.yaml names; None for the model that ships with the node.
        threshold: what config.yaml sets for that one, and for no other.
    """

    registered: RegisteredModels
    shelf: Shelf
    bundle: Path | None
    threshold: float | None

    def now(self) -> tuple[Reader, ...]:
        """The line-up: of these, the first whose contract fits a study reads it.

        Raises:
            WeightsCorrupt: one of them is damaged. It is not passed over: whose study it is nobody knows.
        """
        return tuple(self.reader(reference) for reference in self.registered.lineup())

    def reader(self, reference: str) -> Reader:
        """One model, active or not. Raises WeightsCorrupt."""
        if reference == CONFIGURED:
            return configured(self.bundle, self.threshold)
        return Reader(reference, self.shelf.folder(reference), None, self.shelf.manifest(reference))


def configured(bundle: Path | None, threshold: float | None) -> Reader:
    """The model of config.yaml; without a folder, the one that ships with the node. Raises WeightsCorrupt."""
    return Reader(CONFIGURED, bundle, threshold, read_manifest(bundle))


def before(acts: Sequence[ModelAct]) -> tuple[str, ...] | None:
    """The line-up that a rollback leads to: the one before the last change that was not taken back itself."""
    stood = [BEGINNING]
    for act in acts:
        if act.what is Deed.ROLLBACK:
            stood.pop()
        elif act.lineup != stood[-1]:
            stood.append(act.lineup)
    return stood[-2] if len(stood) > 1 else None
