"""What is known of each open association."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pynetdicom.association import Association

from dicom_node.receiver.settings import Caller


class Session:
    """One association, from connection to close. Written by its own threads only."""

    def __init__(self, association: Association, address: str) -> None:
        self.id = uuid.uuid4().hex[:12]
        self.association = association
        self.address = address
        self.caller: Caller | None = None
        self.rejection = ""
        self.ended_by_peer = ""
        self.studies: dict[str, None] = {}
        self.study = ""
        self.stored = 0
        self.refused = 0
        self.receiving_bytes = 0
        self.serving_bytes = 0
        self.overflowing = ""
        self.overflowed: dict[int, str] = {}
        self.answering = False
        self.stores_beside: Callable[[], bool] = lambda: False

    @property
    def calling(self) -> str:
        """The caller's AE title."""
        return str(self.association.requestor.ae_title)

    @property
    def is_busy(self) -> bool:
        """Whether an object is being stored and has no answer yet."""
        return self.answering or self.stores_beside()

    @property
    def held_bytes(self) -> int:
        """Memory taken by objects that have come, or are coming, and are not yet on the disk."""
        coming = 0 if self.overflowing else self.receiving_bytes
        return coming + self.serving_bytes + _waiting_bytes(self.association)

    @property
    def how(self) -> str:
        """How the association ended: released, aborted (by the peer), lost, rejected or ended (by us)."""
        if self.association.is_rejected:
            return "rejected"
        if self.association.is_released:
            return "released"
        return self.ended_by_peer or "ended"


class Sessions:
    """Every open association; the one place that knows whether the receiver is idle."""

    def __init__(self) -> None:
        self._open: dict[Association, Session] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._entering = 0

    @contextmanager
    def opened(self, association: Association, address: str) -> Iterator[Session]:
        """A session for as long as the block runs."""
        session = Session(association, address)
        with self._changed:
            self._open[association] = session
        try:
            yield session
        finally:
            with self._changed:
                del self._open[association]
                self._changed.notify_all()

    @contextmanager
    def entering(self) -> Iterator[None]:
        """A connection that is not an association yet, for as long as the block runs."""
        with self._changed:
            self._entering += 1
        try:
            yield
        finally:
            with self._changed:
                self._entering -= 1

    def connections(self) -> int:
        """How many are open or about to be."""
        with self._changed:
            return len(self._open) + self._entering

    def of(self, association: Association) -> Session | None:
        """The session of an association, if it is still open: its socket may outlive it a little."""
        return self._open.get(association)

    def held_bytes(self) -> int:
        """What all associations together hold of objects not yet on the disk."""
        with self._changed:
            return sum(session.held_bytes for session in self._open.values())

    def claim(self, session: Session, caller: Caller) -> bool:
        """Count the session as one of `caller`'s; False if it has as many as it may have."""
        with self._changed:
            mine = sum(other.caller == caller for other in self._open.values())
            if caller.max_associations and mine >= caller.max_associations:
                return False
            session.caller = caller
            return True

    def answer_begun(self, session: Session) -> bool:
        """An object is to be stored: False if it is too late, else its answer will be waited for."""
        with self._changed:
            session.answering = True
            return not self._stopping

    def answer_sent(self, session: Session) -> None:
        """The answer is on the wire."""
        with self._changed:
            session.answering = False
            self._changed.notify_all()

    def stop(self) -> None:
        """From now on refuse objects."""
        with self._changed:
            self._stopping = True

    @property
    def stopping(self) -> bool:
        """Whether objects are refused."""
        return self._stopping

    def wait_until_answered(self, timeout_s: float) -> bool:
        """Wait for the answers under way."""
        return self._wait(lambda: not any(session.is_busy for session in self._open.values()), timeout_s)

    def wait_until_closed(self, timeout_s: float) -> bool:
        """Wait until no association is open."""
        return self._wait(lambda: not self._open, timeout_s)

    def all(self) -> list[Session]:
        """The open ones."""
        with self._changed:
            return list(self._open.values())

    def _wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(condition, timeout_s)


def _waiting_bytes(association: Association) -> int:
    """Complete objects that have not been served yet; one at most, if the peer waits for its answers."""
    queue = association.dimse.msg_queue
    with queue.mutex:
        waiting = [getattr(message, "DataSet", None) for _, message in queue.queue]
    return sum(encoded.getbuffer().nbytes for encoded in waiting if encoded is not None)
