"""The application entity that scanners see: who may come in, what is answered, how it ends."""

from functools import partial

from pydicom import config
from pydicom.uid import UID
from pynetdicom import AE, _config, evt
from pynetdicom.events import Event
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.pdu_primitives import A_ABORT, A_P_ABORT

from dicom_node.archive import Archive
from dicom_node.archive.commitment_requests import RequestFiles
from dicom_node.archive.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION
from dicom_node.conformance import MAX_PDU_BYTES, accepted_contexts
from dicom_node.receiver.admission import rejection, too_many
from dicom_node.receiver.bounds import Bounds
from dicom_node.receiver.commitments import Commitments
from dicom_node.receiver.express import Express
from dicom_node.receiver.native_lane import NativeLane, Site, native_lane
from dicom_node.receiver.outbox import Outbox
from dicom_node.receiver.reports import Expected, Reports
from dicom_node.receiver.server import Security, Server, Service, cut
from dicom_node.receiver.session import Session, Sessions
from dicom_node.receiver.settings import ReceiverSettings
from dicom_node.receiver.settling import Settling
from dicom_node.receiver.storing import Storing
from dicom_node.receiver.telling import Telling
from dicom_node.receiver.wire import Wire
from dicom_node.tls import FreshContext, server_context

_ASSOCIATION_TIMEOUT_S = 30.0
_LAST_ANSWERS_S = 30.0
_LAST_ABORTS_S = 2.0

# nothing of what passes is printed, and UIDs are taken as they come: too long, too many zeros, whatever
_config.LOG_HANDLER_LEVEL = "none"
_config.VALIDATORS["UI"] = lambda value: (bool(value), "empty UID")
config.settings.reading_validation_mode = config.IGNORE


class Acceptor:
    """Answers C-ECHO, C-STORE, requests for commitment and reports on it until it is stopped."""

    def __init__(
        self,
        settings: ReceiverSettings,
        archive: Archive,
        outbox: Outbox,
        expected: Expected,
        settling: Settling | None = None,
    ) -> None:
        """Bind and listen. With `settling`, images may be durable in its journal before they have a file.

        Raises:
            OSError: the port is taken, or the address is not ours.
            TlsError: the certificates cannot be used.
        """
        self._settings = settings
        self._outbox = outbox
        self._sessions = Sessions()
        self._storing = Storing(archive, outbox, self._sessions, settings.max_object_bytes)
        limits = settings.max_object_bytes, settings.reserve_bytes
        self._site = Site(archive, self._sessions, self._storing, *limits, settling)
        self._reports = Reports(expected, outbox, self._sessions)
        requests = RequestFiles(settings.requests_root)
        self._commitments = Commitments(requests, outbox, self._sessions, archive.has_room)
        self.telling = Telling(requests, outbox, self._sessions)
        self._bounds = Bounds(self._sessions, settings.max_object_bytes)
        address = (settings.host, settings.port)
        self._server = Server(
            _entity(settings),
            address,
            Service(self._handlers(), self._express, self._native, self._on_closed),
            self._sessions,
            Security(_tls(settings, outbox), self._on_stranger),
        )

    @property
    def port(self) -> int:
        """The port we listen on."""
        return self._server.port

    def start(self) -> None:
        """Answer in the background."""
        self._server.start()

    def stop(self) -> None:
        """Accept nobody, answer what is being stored, abort the rest (PS3.8 9.3.8)."""
        self._server.close()
        self._sessions.stop()
        self._storing.stop()
        self._server.ring_all()
        self._sessions.wait_until_answered(_LAST_ANSWERS_S)
        for session in self._sessions.all():
            session.association.abort(block=False)
        if not self._sessions.wait_until_closed(_LAST_ABORTS_S):
            for session in self._sessions.all():
                cut(session)
            self._sessions.wait_until_closed(_LAST_ABORTS_S)

    def _handlers(self) -> list[evt.EventHandlerType]:
        return [
            (evt.EVT_REQUESTED, self._on_requested),
            (evt.EVT_REJECTED, self._on_rejected),
            (evt.EVT_DATA_RECV, self._bounds.on_data),
            (evt.EVT_DIMSE_RECV, self._bounds.on_message),
            (evt.EVT_DIMSE_RECV, self.telling.on_message),
            (evt.EVT_C_STORE, self._storing.on_store),
            (evt.EVT_N_ACTION, self._commitments.on_action),
            (evt.EVT_N_EVENT_REPORT, self._reports.on_report),
            (evt.EVT_PDU_SENT, self._on_sent),
            (evt.EVT_ACSE_RECV, self._on_ended_by_peer),
            (evt.EVT_CONN_CLOSE, _wake_if_unasked),
        ]

    def _express(self, session: Session) -> Express:
        return Express(session, self._sessions, self._storing, self._bounds)

    def _native(self, session: Session, wire: Wire) -> NativeLane | None:
        return native_lane(self._site, session, wire)

    def _on_requested(self, event: Event) -> None:
        """EVT_REQUESTED: turn strangers away before anything is negotiated."""
        association = event.assoc
        session = self._sessions.of(association)
        request = association.requestor.primitive
        if session is None or request is None:
            return
        calling, called = str(request.calling_ae_title), str(request.called_ae_title)
        refused, caller = rejection(calling, called, session.address, self._settings)
        if caller is not None and not self._sessions.claim(session, caller):
            refused = too_many(caller)
        if refused is None:
            return
        association.requestor.ae_title = calling
        session.rejection = refused.reason
        association.acse.send_reject(refused.result, refused.source, refused.diagnostic)
        self._report_rejection(session)
        association.kill()

    def _on_rejected(self, event: Event) -> None:
        """EVT_REJECTED: pynetdicom itself turns away only whoever is one too many."""
        session = self._sessions.of(event.assoc)
        if session is not None:
            session.rejection = f"{self._settings.max_associations} associations are open already"
            self._report_rejection(session)

    def _on_stranger(self, address: str, reason: str) -> None:
        """A connection that never became an association."""
        self._outbox.put("refused", association="", calling="", address=address, reason=reason)

    def _report_rejection(self, session: Session) -> None:
        self._outbox.put(
            "refused",
            association=session.id,
            calling=session.calling,
            address=session.address,
            reason=session.rejection,
        )

    def _on_sent(self, event: Event) -> None:
        """EVT_PDU_SENT: an answer is on the wire."""
        session = self._sessions.of(event.assoc)
        if session is not None and isinstance(event.pdu, P_DATA_TF):
            self._sessions.answer_sent(session)

    def _on_ended_by_peer(self, event: Event) -> None:
        """EVT_ACSE_RECV: an abort, or the news that the connection is gone."""
        session = self._sessions.of(event.assoc)
        primitive = event.primitive  # type: ignore[attr-defined]
        if session is None:
            return
        if isinstance(primitive, A_ABORT):
            session.ended_by_peer = "aborted"
        elif isinstance(primitive, A_P_ABORT):
            session.ended_by_peer = "lost"

    def _on_closed(self, session: Session) -> None:
        self.telling.closed(session)
        if not session.association.accepted_contexts:
            return
        self._outbox.put(
            "closed",
            association=session.id,
            calling=session.calling,
            address=session.address,
            how=session.how,
            studies=list(session.studies),
            stored=session.stored,
            refused=session.refused,
        )


def _wake_if_unasked(event: Event) -> None:
    """EVT_CONN_CLOSE: pynetdicom would wait on for a request from a port scan or a load balancer's probe."""
    if event.assoc.requestor.primitive is None:
        event.assoc.dul.to_user_queue.put(None)  # its own sign for "none came"


def _tls(settings: ReceiverSettings, outbox: Outbox) -> FreshContext | None:
    if settings.tls == "off":
        return None
    return FreshContext(
        settings.tls_files,
        partial(server_context, mutual=settings.tls == "mutual"),
        lambda complaint: outbox.put("log", level="error", message=complaint),
    )


def _entity(settings: ReceiverSettings) -> AE:
    entity = AE(settings.ae_title)
    entity.supported_contexts = accepted_contexts(discard=settings.discard)
    entity.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
    entity.implementation_version_name = IMPLEMENTATION_VERSION
    entity.maximum_associations = settings.max_associations
    entity.maximum_pdu_size = MAX_PDU_BYTES
    entity.acse_timeout = _ASSOCIATION_TIMEOUT_S
    entity.dimse_timeout = settings.idle_timeout_s
    entity.network_timeout = settings.idle_timeout_s
    return entity
