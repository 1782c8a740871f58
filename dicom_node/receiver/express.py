"""The way of a plain C-STORE request: from the PDUs as they came to the answer, on one thread."""

from typing import final

from pynetdicom.presentation import PresentationContextTuple

from dicom_node.receiver.assembly import Assembly, Whole
from dicom_node.receiver.bounds import Bounds
from dicom_node.receiver.framing import command_pdus, fragments
from dicom_node.receiver.session import Session, Sessions
from dicom_node.receiver.store_command import StoreRequest, store_response
from dicom_node.receiver.storing import Incoming, Storing


@final
class Express:
    """Serves the C-STORE requests of one association; everything else goes pynetdicom's way."""

    def __init__(self, session: Session, sessions: Sessions, storing: Storing, bounds: Bounds) -> None:
        self._session = session
        self._sessions = sessions
        self._storing = storing
        self._bounds = bounds
        self._assembly = Assembly()
        self._contexts: dict[int, PresentationContextTuple] = {}
        self._due: Whole | None = None
        self.serving = False

    @property
    def pending(self) -> bool:
        """Whether a request has come, and is not answered."""
        return self._assembly.pending or self.due

    @property
    def due(self) -> bool:
        """Whether a request is complete, and has no answer yet."""
        return self._due is not None

    def take(self, pdu: memoryview) -> bool:
        """Take a whole P-DATA-TF, after which an answer may be `due`; False: it is not for us.

        Raises:
            Malformed: the association cannot go on.
        """
        found, request = fragments(pdu), None
        if not self._assembly.pending:
            request = self._assembly.begin(found)
            if request is None or not self._is_ours(found[0].context_id, request):
                return False
        self._bounds.count(self._session, len(pdu))
        self._due = self._assembly.take(found, request)
        if self._session.overflowing:
            self._assembly.drop()
        return True

    def answer(self) -> bytes:
        """Store what is due: what to send for it. `sent` is to be called after that."""
        assert self._due is not None
        self.serving = True
        whole, self._due = self._due, None
        request = whole.request
        incoming = Incoming(
            request.sop_class_uid,
            request.sop_instance_uid,
            self._contexts[whole.context_id],
            whole.dataset,
            self._bounds.completed(self._session),
        )
        status, reason = self._storing.store(self._session, incoming)
        longest_bytes = self._session.association.requestor.maximum_length or 0
        return command_pdus(whole.context_id, store_response(request, status, reason), longest_bytes)

    def sent(self) -> None:
        """The answer is on the wire."""
        self.serving = False
        self._sessions.answer_sent(self._session)

    def _is_ours(self, context_id: int, request: StoreRequest) -> bool:
        """Whether it is in a context of its own class; what is not, pynetdicom knows how to answer."""
        if not self._contexts:
            accepted = self._session.association.accepted_contexts
            self._contexts = {one.context_id or 0: one.as_tuple for one in accepted}
        context = self._contexts.get(context_id)
        return context is not None and request.sop_class_uid == context.abstract_syntax
