"""N-EVENT-REPORT on the association that asked for commitment, while it is open."""

import threading
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom.dimse_primitives import N_EVENT_REPORT
from pynetdicom.dsutils import encode
from pynetdicom.events import Event
from pynetdicom.presentation import PresentationContext

from dicom_node.archive.commitment_requests import RequestFiles
from dicom_node.commitment import WELL_KNOWN_INSTANCE, report
from dicom_node.conformance import COMMITMENT
from dicom_node.receiver.outbox import Outbox
from dicom_node.receiver.session import Session, Sessions

_ANSWER_TO_REPORT = 0x8100
_MOST_MESSAGES = 0xFFFF


class Telling:
    """Sends reports that the node has made, and passes their answers on.

    Nobody waits here: the answer is caught as it comes, so that a request which crosses the report is served
    as ever. The node hears "commitment-told" with the `status` of the answer, or with None and the reason
    `why` the report was not sent, or not answered, on this association: "gone" or "busy".
    """

    def __init__(self, files: RequestFiles, outbox: Outbox, sessions: Sessions) -> None:
        self._files = files
        self._outbox = outbox
        self._sessions = sessions
        self._sent: dict[tuple[str, int], str] = {}
        self._last_message = 0
        self._lock = threading.Lock()

    def tell(self, line: Mapping[str, Any]) -> None:
        """The node's line: the `name` of a request, its `association`, and the `failed` objects' reasons."""
        name = str(line["name"])
        session = next((one for one in self._sessions.all() if one.id == line["association"]), None)
        context = _context(session) if session else None
        if session is None or context is None:
            self._say(name, None, "gone")
        elif session.is_busy or session.held_bytes:
            self._say(name, None, "busy")
        else:
            self._send(session, context, name, {str(uid): int(why) for uid, why in line["failed"].items()})

    def on_message(self, event: Event) -> None:
        """EVT_DIMSE_RECV: perhaps the answer to a report of ours."""
        command = event.message.command_set
        if command.get("CommandField") != _ANSWER_TO_REPORT:
            return
        session = self._sessions.of(event.assoc)
        if session is None:
            return
        with self._lock:
            name = self._sent.pop((session.id, int(command.get("MessageIDBeingRespondedTo", 0))), None)
        if name is not None:
            self._say(name, int(command.get("Status", 0)), "")

    def closed(self, session: Session) -> None:
        """An association is over: what was not answered on it never will be."""
        with self._lock:
            lost = [key for key in self._sent if key[0] == session.id]
            names = [self._sent.pop(key) for key in lost]
        for name in names:
            self._say(name, None, "gone")

    def _send(
        self, session: Session, context: PresentationContext, name: str, failed: Mapping[str, int]
    ) -> None:
        try:
            request = self._files.read(name)
        except (OSError, ValueError):
            self._say(name, None, "gone")
            return
        kind, information = report(request.transaction_uid, request.objects, failed)
        with self._lock:
            self._last_message = self._last_message % _MOST_MESSAGES + 1
            said = _message(self._last_message, kind, _encoded(information, context))
            self._sent[session.id, self._last_message] = name
        session.association.dimse.send_msg(said, context.context_id or 0)
        if self._sessions.of(session.association) is None:  # closed before it was noted as sent
            self.closed(session)

    def _say(self, name: str, status: int | None, why: str) -> None:
        self._outbox.put("commitment-told", name=name, status=status, why=why)


def _context(session: Session) -> PresentationContext | None:
    association = session.association
    if not association.is_established:
        return None
    accepted = association.accepted_contexts
    return next((one for one in accepted if one.abstract_syntax == COMMITMENT), None)


def _message(number: int, kind: int, information: BytesIO) -> N_EVENT_REPORT:
    said = N_EVENT_REPORT()
    said.MessageID = number
    said.AffectedSOPClassUID = UID(COMMITMENT)
    said.AffectedSOPInstanceUID = WELL_KNOWN_INSTANCE
    said.EventTypeID = kind
    said.EventInformation = information
    return said


def _encoded(information: Dataset, context: PresentationContext) -> BytesIO:
    syntax = context.transfer_syntax[0]
    encoded = encode(information, syntax.is_implicit_VR, syntax.is_little_endian)
    assert encoded is not None, "a report is made of UIDs and numbers"
    return BytesIO(encoded)
