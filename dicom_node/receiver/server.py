"""pynetdicom's server, with our bounds around it."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from socketserver import BaseServer
from typing import Any

from pynetdicom import AE, evt
from pynetdicom.transport import RequestHandler, ThreadedAssociationServer

from dicom_node.receiver.express import Express
from dicom_node.receiver.lobby import Lobby
from dicom_node.receiver.native_lane import NativeLane
from dicom_node.receiver.negotiation import Outcomes
from dicom_node.receiver.served import ServedAssociation
from dicom_node.receiver.session import Session, Sessions
from dicom_node.receiver.wire import Wire
from dicom_node.tls import FreshContext, reason_of

_ACCEPTOR = "acceptor"
_SPARE_CONNECTIONS = 16
_POLL_S = 0.5
_HANDSHAKE_S = 10.0


@dataclass(frozen=True, slots=True)
class Security:
    """How connections are protected (None: not at all), and who hears of those that could not be."""

    tls: FreshContext | None
    on_stranger: Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Service:
    """Who answers: `handlers` what pynetdicom hands on, `express` and `native` C-STORE requests."""

    handlers: list[evt.EventHandlerType]
    express: Callable[[Session], Express]
    native: Callable[[Session, Wire], NativeLane | None]
    on_closed: Callable[[Session], None]


class _Door(RequestHandler):
    """One connection: its thread lives as long as the association, and says when it is over."""

    server: "Server"

    def handle(self) -> None:
        # without it, a peer that falls silent in the middle of a PDU would hold its threads for ever
        self.request.settimeout(self.server.ae.network_timeout)
        if self.server.tls is not None and not self._shake_hands(self.server.tls.get()):
            return
        association = self._create_association()
        with self.server.sessions.opened(association, self.remote.address) as session:
            service = self.server.service
            native = service.native(session, self.wire)
            association.dul.serve_by(service.express(session), native)
            association.start()
            association.join()
            self.server.service.on_closed(session)

    def _shake_hands(self, context: ssl.SSLContext) -> bool:
        """Go on in TLS. Here, in the connection's own thread, a peer that dawdles holds up nobody else."""
        plain = self.request
        deadline = threading.Timer(_HANDSHAKE_S, _shut, [plain])
        deadline.daemon = True
        with self.server.sessions.entering():
            deadline.start()
            try:
                self.request = context.wrap_socket(plain, server_side=True)
            except OSError as error:
                self.server.on_stranger(self.remote.address, f"no TLS: {reason_of(error)}")
                return False
            finally:
                deadline.cancel()
        return True

    def _create_association(self) -> ServedAssociation:
        """As pynetdicom does, with our own classes."""
        association = ServedAssociation(self.ae, _ACCEPTOR, self.server.outcomes)
        association._server = self.server
        association.name = f"association with {self.remote.address}"
        self.wire = Wire(association, self.request, association.dul.bell)
        association.set_socket(self.wire)
        us = association.acceptor
        us.ae_title, us.address_info = self.server.ae_title, self.local
        us.maximum_length = self.ae.maximum_pdu_size
        us.implementation_class_uid = self.ae.implementation_class_uid
        us.implementation_version_name = self.ae.implementation_version_name
        us.supported_contexts = self.server.contexts  # not copied: negotiation only reads them
        association.requestor.address_info = self.remote
        for event, handler, *_ in self.server.service.handlers:
            association.bind(event, handler)
        return association


class Server(ThreadedAssociationServer):
    """Listens from the moment it is made; answers from `start` to `close`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        ae: AE,
        address: tuple[str, int],
        service: Service,
        sessions: Sessions,
        security: Security,
    ) -> None:
        """Bind and listen.

        Raises:
            OSError: the port is taken, or the address is not ours.
        """
        self.sessions = sessions
        self.service = service
        self.outcomes = Outcomes()
        self.tls = security.tls
        self.on_stranger = security.on_stranger
        super().__init__(ae, address, ae.ae_title, ae.supported_contexts, request_handler=_Door)
        self._lobby = Lobby(super().process_request, self._has_room)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(_POLL_S,), name="listener", daemon=True
        )

    @property
    def port(self) -> int:
        """The port we listen on."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Answer in the background."""
        self._lobby.start()
        self._thread.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """A connection was accepted: it waits in the lobby until it has introduced itself."""
        self._lobby.enter(request, client_address)

    def _has_room(self) -> bool:
        """Whether an association, one too many perhaps, could at least be rejected properly."""
        return self.sessions.connections() < self.ae.maximum_associations + _SPARE_CONNECTIONS

    def ring_all(self) -> None:
        """Have every association's thread look whether there is something else to do."""
        for session in self.sessions.all():
            if isinstance(session.association, ServedAssociation):
                session.association.dul.bell.ring()

    def close(self) -> None:
        """Accept nobody any more; open associations go on."""
        BaseServer.shutdown(self)
        self.server_close()
        self._lobby.close()


def cut(session: Session) -> None:
    """End a connection that an A-ABORT did not end: its peer keeps us in the middle of a PDU."""
    wrapped = session.association.dul.socket
    if wrapped is not None and wrapped.socket is not None:
        _shut(wrapped.socket)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
