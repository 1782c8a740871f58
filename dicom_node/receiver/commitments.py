"""N-ACTION: a caller asks whether we keep what it sent. The request is on the disk before it is answered."""

import errno
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

from pynetdicom.dimse_primitives import N_ACTION
from pynetdicom.dsutils import decode
from pynetdicom.events import Event

from dicom_node.archive.commitment_requests import CommitmentRequest, RequestFiles
from dicom_node.commitment import (
    INVALID_VALUE,
    LONGEST_REPORT_BYTES,
    NO_SUCH_ACTION,
    NO_SUCH_INSTANCE,
    PROCESSING_FAILURE,
    REQUEST,
    RESOURCES,
    SUCCESS,
    UNREADABLE,
    WELL_KNOWN_INSTANCE,
    BadReport,
    Request,
    TooManyObjects,
)
from dicom_node.receiver.outbox import Outbox
from dicom_node.receiver.session import Session, Sessions

MOST_OUTSTANDING = 100
"""Requests of one caller that wait for their report at the same time."""
MOST_OUTSTANDING_IN_ALL = 500

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class Commitments:
    """Takes requests for commitment; the node looks at the images and reports."""

    def __init__(
        self, files: RequestFiles, outbox: Outbox, sessions: Sessions, has_room: Callable[[int], bool]
    ) -> None:
        """`has_room` says whether the disk takes so many bytes more."""
        self._files = files
        self._outbox = outbox
        self._sessions = sessions
        self._has_room = has_room

    def on_action(self, event: Event) -> tuple[int, None]:
        """EVT_N_ACTION."""
        session = self._sessions.of(event.assoc)
        assert session is not None
        status, reason = self._answer(session, event)
        if status != SUCCESS:
            who = {"association": session.id, "calling": session.calling}
            self._outbox.put("refused", **who, status=f"{status:04X}", reason=f"commitment: {reason}")
        return status, None

    def _answer(self, session: Session, event: Event) -> tuple[int, str]:
        said = event.request
        assert isinstance(said, N_ACTION)
        encoded = said.ActionInformation or BytesIO()
        if reason := self._no_time_for(session, said):
            return RESOURCES, reason
        if objection := _objection(said, encoded.getbuffer().nbytes):
            return objection
        syntax = event.context.transfer_syntax
        try:
            asked = Request.read(decode(encoded, syntax.is_implicit_VR, syntax.is_little_endian))
        except TooManyObjects as error:
            return RESOURCES, str(error)
        except UNREADABLE as error:
            reason = str(error) if isinstance(error, BadReport) else type(error).__name__
            return INVALID_VALUE, f"the request cannot be read ({reason})"
        return self._keep(session, asked, encoded.getbuffer().nbytes)

    def _keep(self, session: Session, asked: Request, size_bytes: int) -> tuple[int, str]:
        request = CommitmentRequest(
            asked.transaction_uid,
            session.calling,
            session.address,
            session.id,
            datetime.now(UTC),
            asked.objects,
        )
        if reason := self._no_place_for(request):
            return RESOURCES, reason
        if self._files.is_reused(request):
            request = request.as_reused()
        try:
            if not self._has_room(size_bytes):
                return RESOURCES, "the disk is below its reserve"
            name = self._files.keep(request)
        except OSError as error:
            return (RESOURCES if error.errno in _NO_ROOM else PROCESSING_FAILURE), f"disk: {error.strerror}"
        self._outbox.put("commitment-asked", name=name, association=session.id)
        return SUCCESS, ""

    def _no_time_for(self, session: Session, said: N_ACTION) -> str:
        excess = session.overflowed.pop(said.MessageID or -1, "")
        return excess if self._sessions.answer_begun(session) else "the node is shutting down"

    def _no_place_for(self, request: CommitmentRequest) -> str:
        waiting = self._files.names()
        if request.name in waiting:
            return ""  # asked again: it takes no further place
        if len(waiting) >= MOST_OUTSTANDING_IN_ALL:
            return f"{MOST_OUTSTANDING_IN_ALL} requests wait for their report already"
        if len(self._files.names(request.calling)) >= MOST_OUTSTANDING:
            return f"{MOST_OUTSTANDING} requests of {request.calling} wait for their report already"
        return ""


def _objection(said: N_ACTION, size_bytes: int) -> tuple[int, str] | None:
    if said.RequestedSOPInstanceUID != WELL_KNOWN_INSTANCE:
        return NO_SUCH_INSTANCE, "it is not addressed to the well-known instance"
    if said.ActionTypeID != REQUEST:
        return NO_SUCH_ACTION, f"there is no action {said.ActionTypeID}"
    if size_bytes > LONGEST_REPORT_BYTES:
        return RESOURCES, f"it is longer than {LONGEST_REPORT_BYTES // 1_000_000} MB"
    return None
