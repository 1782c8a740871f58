"""The narrower views of the store: each for one part of the node, all on the same connections.

Each is imported when it is asked for: a command needs one or none of them.
"""

from typing import TYPE_CHECKING

from sqlalchemy import Engine

if TYPE_CHECKING:
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
    def endings(self) -> "Endings":
        """What becomes of studies without a result."""
        from dicom_node.store.endings import Endings

        return Endings(self._engine)

    @property
    def folders(self) -> "Folders":
        """Which folders of the archive need no look."""
        from dicom_node.store.folders import Folders

        return Folders(self._engine)

    @property
    def lineage(self) -> "Lineage":
        """Where results came from."""
        from dicom_node.store.lineage import Lineage

        return Lineage(self._engine)

    @property
    def proofs(self) -> "Proofs":
        """What destinations have proved."""
        from dicom_node.store.proofs import Proofs

        return Proofs(self._engine)

    @property
    def sweeps(self) -> "Sweeps":
        """What destinations still hold."""
        from dicom_node.store.sweeps import Sweeps

        return Sweeps(self._engine)

    @property
    def keeping(self) -> "Keeping":
        """How long images stay, and what is remembered of those that are gone."""
        from dicom_node.store.keeping import Keeping

        return Keeping(self._engine)

    @property
    def adoption(self) -> "Adoption":
        """How runs come back that only the files remember."""
        from dicom_node.store.adoption import Adoption

        return Adoption(self._engine)

    @property
    def safekeeping(self) -> "Safekeeping":
        """What there is of an instance that a caller sent."""
        from dicom_node.store.safekeeping import Safekeeping

        return Safekeeping(self._engine)

    @property
    def labels(self) -> "Labels":
        """What is known of studies from elsewhere."""
        from dicom_node.store.labels import Labels

        return Labels(self._engine)

    @property
    def registered(self) -> "RegisteredModels":
        """Which models were imported, and which of them answer."""
        from dicom_node.store.registered import RegisteredModels

        return RegisteredModels(self._engine)

    @property
    def shadows(self) -> "Shadows":
        """What models in the shadow were and are to be asked."""
        from dicom_node.store.shadows import Shadows

        return Shadows(self._engine)
