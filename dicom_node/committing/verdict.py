"""Which of the objects that a caller names are promised: those whose bytes on the disk are what it sent."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import final

from dicom_node.archive import Archive
from dicom_node.commitment import (
    CLASS_CONFLICT,
    CLASS_NOT_COMMITTED,
    NO_SUCH_OBJECT,
    PROCESSING_FAILURE,
    Objects,
)
from dicom_node.conformance import Action, action_of
from dicom_node.intake.on_disk import dataset_digest
from dicom_node.store import Store
from dicom_node.store.safekeeping import Copy

_PATIENCE_S = 5.0


class Postponed(Exception):
    """It cannot be said now; the message says why."""


@final
class Examiner:
    """Looks at the index, and then at every file itself."""

    def __init__(self, store: Store, archive: Archive, indexed: Callable[[float], bool]) -> None:
        """`indexed` waits for so many seconds until everything that came has its row; whether it has."""
        self._store = store
        self._archive = archive
        self._indexed = indexed
        self._stopping = threading.Event()

    def failures(self, objects: Objects) -> dict[str, int]:
        """Why not, for each SOP Instance UID that is not promised (Failure Reason, PS3.3 C.14.1.1).

        Raises:
            Postponed: what came is still being filed, or the node stops.
            StoreUnavailable: the database cannot be asked.
        """
        found = self._copies(objects)
        failed: dict[str, int] = {}
        for sop_class_uid, uid in objects:
            if self._stopping.is_set():
                raise Postponed("the node is stopping")
            reason = self._reason(sop_class_uid, found.get(uid, ()))
            if reason is not None:
                failed[uid] = reason
        return failed

    def stop(self) -> None:
        """Examine nothing more."""
        self._stopping.set()

    def _copies(self, objects: Objects) -> Mapping[str, Sequence[Copy]]:
        uids = {uid for _, uid in objects}
        found = self._store.safekeeping.copies(uids)
        if uids <= found.keys():
            return found
        if not self._indexed(_PATIENCE_S):
            raise Postponed("images that came are still being filed")
        return self._store.safekeeping.copies(uids)

    def _reason(self, sop_class_uid: str, copies: Sequence[Copy]) -> int | None:
        held = [one for one in copies if one.kept]
        if not held:
            discarded = any(one.note and action_of(one.sop_class_uid) is Action.DISCARD for one in copies)
            return CLASS_NOT_COMMITTED if discarded else NO_SUCH_OBJECT
        if any(one.sop_class_uid != sop_class_uid for one in held):
            return CLASS_CONFLICT
        return next((reason for one in held if (reason := self._damage(one)) is not None), None)

    def _damage(self, copy: Copy) -> int | None:
        try:
            digest = dataset_digest(self._archive.open(copy.path))
        except FileNotFoundError:
            return NO_SUCH_OBJECT
        except OSError:
            return PROCESSING_FAILURE
        return None if digest == copy.digest else PROCESSING_FAILURE
