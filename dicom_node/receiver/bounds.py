"""Objects too large are refused before they fill the memory: their bytes are dropped as they come."""

from io import BytesIO

from pynetdicom.dimse_messages import DIMSEMessage
from pynetdicom.events import Event

from dicom_node.receiver.session import Session, Sessions

_P_DATA, _C_STORE_RQ = 0x04, 0x0001
_MOST_WAITING = 64
_LONGEST_COMMAND_BYTES = 1 << 20
_MEGABYTE = 1_000_000
_LOOK_AT_ALL_BYTES = 1 << 18
_KEY = "receive.max_object_mb"


class Bounds:
    """Counts what each association holds; pynetdicom buffers a whole message and has no limit of its own.

    One object may be `max_object_bytes` long, and all associations together may hold twice that. An object
    beyond is swallowed, answered with a refusal, and the association goes on.
    """

    def __init__(self, sessions: Sessions, max_object_bytes: int) -> None:
        self._sessions = sessions
        self._max_object_bytes = max_object_bytes

    def count(self, session: Session, received_bytes: int) -> None:
        """So much more has come of a message; from now on it may be `overflowing`.

        What all hold together is added up whenever an association has received another quarter of a megabyte.
        """
        before = session.receiving_bytes // _LOOK_AT_ALL_BYTES
        session.receiving_bytes += received_bytes
        if not session.overflowing:
            grown = session.receiving_bytes // _LOOK_AT_ALL_BYTES > before
            session.overflowing = self._own_excess(session) or (self._common_excess() if grown else "")

    def completed(self, session: Session) -> str:
        """The message is complete: why it was too much, or ""."""
        excess, session.overflowing = session.overflowing, ""
        session.receiving_bytes = 0
        return excess

    def on_data(self, event: Event) -> None:
        """EVT_DATA_RECV: a whole PDU has come, and is about to be added to the message."""
        if event.data[0] != _P_DATA:
            return
        session = self._sessions.of(event.assoc)
        if session is None:
            return
        self.count(session, len(event.data))
        message = event.assoc.dimse.message
        if message is None:
            return
        if session.overflowing:
            message.data_set = BytesIO()
        if message.encoded_command_set.tell() > _LONGEST_COMMAND_BYTES:
            message.encoded_command_set = BytesIO()
            event.assoc.abort()

    def on_message(self, event: Event) -> None:
        """EVT_DIMSE_RECV: the message is complete."""
        session = self._sessions.of(event.assoc)
        if session is None:
            return
        message: DIMSEMessage = event.message
        if excess := self.completed(session):
            message.data_set = BytesIO()
            session.overflowed[_message_id(message)] = excess
        if _is_nameless(message):
            # pynetdicom gives no answer, and the peer would wait until it is disconnected for its silence
            event.assoc.abort()
        if event.assoc.dimse.msg_queue.qsize() > _MOST_WAITING:
            # whoever never waits for an answer is not a DICOM sender (PS3.7 D.3.3.3)
            event.assoc.abort()

    def _own_excess(self, session: Session) -> str:
        own = session.caller.max_object_bytes if session.caller else 0
        most, key = (own, "max_object_mb of this caller") if own else (self._max_object_bytes, _KEY)
        if session.receiving_bytes > most:
            return f"larger than {most // _MEGABYTE} MB ({key})"
        return ""

    def _common_excess(self) -> str:
        if self._sessions.held_bytes() > 2 * self._max_object_bytes:
            return "too much is being received at the same time, try again"
        return ""


def _is_nameless(message: DIMSEMessage) -> bool:
    """Whether it would store an object and does not say which (PS3.7 9.3.1.1)."""
    command = message.command_set
    named = command.get("AffectedSOPClassUID") and command.get("AffectedSOPInstanceUID")
    return command.get("CommandField") == _C_STORE_RQ and not named


def _message_id(message: DIMSEMessage) -> int:
    return int(message.command_set.get("MessageID", -1))
