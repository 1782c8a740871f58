"""Pynetdicom's upper layer, waiting where it would poll, and our own way for C-STORE.

Its state machine (PS3.8 9.2), its timers and all messages but plain C-STORE requests are pynetdicom's; what
is ours is how its loop passes the time. It would look at the socket and sleep a millisecond in turns: here it
waits for the socket and for a bell, and between two messages it waits in the native lane, which meanwhile
serves the plainest requests.
"""

from collections.abc import Callable
from queue import Queue
from typing import Any

from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu import A_ABORT_RQ, A_ASSOCIATE_AC
from pynetdicom.pdu_primitives import A_ASSOCIATE

from dicom_node.receiver.express import Express
from dicom_node.receiver.framing import A_ASSOCIATE_RQ, P_DATA_TF, Malformed, Pdu
from dicom_node.receiver.native_lane import NativeLane
from dicom_node.receiver.negotiation import Negotiation
from dicom_node.receiver.wire import Bell, Wire

_TRANSFER, _CLOSING = "Sta6", "Sta13"
_NOW_S = 0.0
_BY_PROVIDER, _NO_REASON = 2, 0


class Announced(Queue[Any]):
    """A queue that says when something has been put into it."""

    def __init__(self, announce: Callable[[], None]) -> None:
        super().__init__()
        self._announce = announce

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        super().put(item, block, timeout)
        self._announce()


class Reactor(DULServiceProvider):
    """The upper layer of one association."""

    def __init__(
        self, association: Association, stir_user: Callable[[], None], negotiation: Negotiation
    ) -> None:
        """`stir_user` is called whenever `association` has something to look at."""
        super().__init__(association)
        self._negotiation = negotiation
        self.bell = Bell()
        self.to_provider_queue = Announced(self.bell.ring)
        self.to_user_queue = Announced(stir_user)
        self._stir_user = stir_user
        self._run_loop_delay = 0.0
        self._express: Express | None = None
        self._native: NativeLane | None = None
        self.ended = False

    def serve_by(self, express: Express, native: NativeLane | None) -> None:
        """From now on C-STORE requests are served by `express`, and where possible by `native`."""
        self._express, self._native = express, native
        if native is not None:
            native.on_heard = self._idle_timer.restart

    @property
    def patience_s(self) -> float:
        """How long the peer may still be silent; as long as it waits for us, as ever."""
        if self._serving:
            return self._idle_timer.timeout or 0.0
        return self._idle_timer.remaining

    def idle_timer_expired(self) -> bool:
        return not self._serving and super().idle_timer_expired()

    def run_reactor(self) -> None:
        try:
            super().run_reactor()
        except Exception:  # noqa: BLE001 - the door: a stranger's PDU met a decoder, which said so in the log
            self._break_off()
        finally:
            self.ended = True
            self.bell.close()
            self._stir_user()

    def _break_off(self) -> None:
        """Abort (PS3.8 9.3.8, by the provider) past the state machine, which could not take its last step."""
        abort = A_ABORT_RQ()
        abort.source, abort.reason_diagnostic = _BY_PROVIDER, _NO_REASON
        self.assoc.is_aborted, self.assoc.is_established = True, False
        if self.socket is not None:
            self.socket.send(abort.encode())
            self.socket.close()
        self.assoc._kill = True  # last: its thread then closes the connection

    def _decode_pdu(self, bytestream: bytearray) -> Any:
        if bytestream[0] == A_ASSOCIATE_RQ:
            bytestream = bytearray(self._negotiation.to_decode(bytes(bytestream)))
        return super()._decode_pdu(bytestream)

    def send_pdu(self, primitive: Any) -> None:
        if isinstance(primitive, A_ASSOCIATE):
            self._negotiation.to_encode(primitive)
        super().send_pdu(primitive)

    def _send(self, pdu: Any) -> None:
        if isinstance(pdu, A_ASSOCIATE_AC):
            self._negotiation.complete(pdu)
        super()._send(pdu)

    def kill_dul(self) -> None:
        super().kill_dul()
        self.bell.ring()

    def stop_dul(self) -> bool:
        if self.state_machine.current_state != "Sta1":
            return False
        self.kill_dul()
        self.join()
        return True

    @property
    def _serving(self) -> bool:
        if self._native is not None and self._native.serving:
            return True
        return self._express is not None and self._express.serving

    def _is_transport_event(self) -> bool:
        """Called by pynetdicom's loop whenever it has nothing to send: wait, and take one step."""
        wire = self.socket
        if not isinstance(wire, Wire):
            return super()._is_transport_event()
        if self.state_machine.current_state == _CLOSING:
            self._hear_out(wire)
            return True
        heard = False
        while not self._has_work:
            pdu = wire.pdu()
            if pdu is not None and not self._is_served(wire, pdu):
                self._read_pdu_data()
                return True
            if pdu is None and not self._hear(wire):
                return heard
            heard = True
            if self.state_machine.current_state != _TRANSFER:
                break
            self._idle_timer.restart()
        return heard

    @property
    def _has_work(self) -> bool:
        """Whether pynetdicom's loop has something else to do than to hear the peer."""
        return bool(self.event_queue.queue or self.to_provider_queue.queue or self._kill_thread)

    def _hear(self, wire: Wire) -> bool:
        """Wait for the peer, and receive what it says; whether it said something."""
        if not self._is_needed(wire, max(_NOW_S, self.artim_timer.remaining)):
            return False
        if wire.pdu() is not None or not wire.wait(_NOW_S):
            return True
        if not self._fill(wire):
            self._read_pdu_data()  # it finds the end
        return True

    def _is_needed(self, wire: Wire, patience_s: float) -> bool:
        """Wait until the peer says something that is not served without this thread, or somebody rings."""
        between = self._is_between_messages and not (self._express is not None and self._express.pending)
        if self._native is not None and between and self._native.can_serve():
            return self._native.serve(patience_s) and (wire.pdu() is not None or wire.wait(patience_s))
        return wire.wait(patience_s)

    def _hear_out(self, wire: Wire) -> None:
        """All is said: close, once what the peer has sent is read. Half a PDU is not waited for."""
        if wire.pdu() is not None:
            self._read_pdu_data()
        elif not (wire.wait(_NOW_S) and self._fill(wire)):
            wire.close()

    def _fill(self, wire: Wire) -> bool:
        """Receive what is there; False if the peer has closed. A lost connection is an event."""
        try:
            return wire.fill()
        except OSError:
            self.event_queue.put("Evt17")
            return True

    @property
    def _is_between_messages(self) -> bool:
        """Whether nothing of a message has come that pynetdicom would put together."""
        return self.assoc.dimse.message is None and self.state_machine.current_state == _TRANSFER

    def _is_served(self, wire: Wire, pdu: Pdu) -> bool:
        """Whether our own way took this PDU."""
        if self._express is None or pdu.kind != P_DATA_TF or not self._is_between_messages:
            return False
        try:
            with wire.view(pdu) as view:
                taken = self._express.take(view)
        except Malformed:
            self.event_queue.put("Evt19")
            taken = True
        if taken:
            wire.skip(pdu)
        if self._express.due:
            wire.send(self._express.answer())
            self._express.sent()
        return taken
