"""The narrower views of the store: each for one part of the node, all on the same connections."""

from sqlalchemy import Engine

from dicom_node.store.adoption import Adoption
from dicom_node.store.endings import Endings
from dicom_node.store.folders import Folders
from dicom_node.store.keeping import Keeping
from dicom_node.store.labels import Labels
from dicom_node.store.lineage import Lineage
from dicom_node.store.proofs import Proofs
from dicom_node.store.registered import RegisteredModels
from dicom_node.store.safekeeping import Safekeeping
from dicom_node.store.shadows import Shadows
from dicom_node.store.sweeps import Sweeps


class Faces:
    """What a `Store` is beside its own methods."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def endings(self) -> Endings:
        """What becomes of studies without a result."""
        return Endings(self._engine)

    @property
    def folders(self) -> Folders:
        """Which folders of the archive need no look."""
        return Folders(self._engine)

    @property
    def lineage(self) -> Lineage:
        """Where results came from."""
        return Lineage(self._engine)

    @property
    def proofs(self) -> Proofs:
        """What destinations have proved."""
        return Proofs(self._engine)

    @property
    def sweeps(self) -> Sweeps:
        """What destinations still hold."""
        return Sweeps(self._engine)

    @property
    def keeping(self) -> Keeping:
        """How long images stay, and what is remembered of those that are gone."""
        return Keeping(self._engine)

    @property
    def adoption(self) -> Adoption:
        """How runs come back that only the files remember."""
        return Adoption(self._engine)

    @property
    def safekeeping(self) -> Safekeeping:
        """What there is of an instance that a caller sent."""
        return Safekeeping(self._engine)

    @property
    def labels(self) -> Labels:
        """What is known of studies from elsewhere."""
        return Labels(self._engine)

    @property
    def registered(self) -> RegisteredModels:
        """Which models were imported, and which of them answer."""
        return RegisteredModels(self._engine)

    @property
    def shadows(self) -> Shadows:
        """What models in the shadow were and are to be asked."""
        return Shadows(self._engine)
