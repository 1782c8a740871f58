"""Pynetdicom's two threads per association, waiting where they would poll, and our own way for C-STORE.

The upper layer's state machine (PS3.8 9.2), its timers and all messages but plain C-STORE requests are
pynetdicom's; what is ours is how its loops pass the time. Its upper layer looks at the socket and sleeps a
millisecond in turns: here it waits for the socket and for a bell. Its association looks at its queues and
sleeps: here its checkpoint stays closed until something has been put into one.
"""

import logging
import threading
from collections.abc import Callable
from queue import Queue
from typing import Any

from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu import A_ABORT_RQ

from dicom_node.receiver.express import Express
from dicom_node.receiver.framing import P_DATA_TF, Malformed, Pdu
from dicom_node.receiver.wire import Bell, Wire

_TRANSFER, _CLOSING = "Sta6", "Sta13"
_NOW_S = 0.0
_BY_PROVIDER, _NO_REASON = 2, 0

LOGGER = logging.getLogger("pynetdicom.served")


class _Announced(Queue[Any]):
    """A queue that says when something has been put into it."""

    def __init__(self, announce: Callable[[], None]) -> None:
        super().__init__()
        self._announce = announce

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        super().put(item, block, timeout)
        self._announce()


class Reactor(DULServiceProvider):
    """The upper layer of one association."""

    def __init__(self, association: "ServedAssociation") -> None:
        super().__init__(association)
        self.bell = Bell()
        self.to_provider_queue = _Announced(self.bell.ring)
        self.to_user_queue = _Announced(association.stir)
        self._stir_user = association.stir
        self._run_loop_delay = 0.0
        self.express: Express | None = None
        self.ended = False

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
        return self.express is not None and self.express.serving

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
        if not wire.wait(max(_NOW_S, self.artim_timer.remaining)):
            return False
        if not self._fill(wire):
            self._read_pdu_data()  # it finds the end
        return True

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

    def _is_served(self, wire: Wire, pdu: Pdu) -> bool:
        """Whether our own way took this PDU."""
        between = self.assoc.dimse.message is None
        transfer = self.state_machine.current_state == _TRANSFER
        if self.express is None or pdu.kind != P_DATA_TF or not between or not transfer:
            return False
        with wire.view(pdu) as view:
            try:
                answer = self.express.take(view)
            except Malformed:
                self.event_queue.put("Evt19")
                answer = b""
        if answer is None:
            return False
        wire.skip(pdu)
        if answer:
            wire.send(answer)
            self.express.sent()
        return True


class _Checkpoint(threading.Event):
    """Where an association's thread pauses between two looks at its queues: until there is something."""

    def __init__(self, pause_s: Callable[[], float]) -> None:
        super().__init__()
        self._pause_s = pause_s
        self.stirred = threading.Event()

    def set(self) -> None:
        super().set()
        self.stirred.set()

    def wait(self, timeout: float | None = None) -> bool:
        while True:
            self.stirred.clear()
            pause_s = self._pause_s()
            if pause_s <= _NOW_S:
                return super().wait(timeout)
            self.stirred.wait(pause_s)


class ServedAssociation(Association):
    """An association whose C-STORE requests are served by `express`, once it is given one."""

    dul: Reactor

    def __init__(self, ae: AE, mode: str) -> None:
        self._checkpoint = _Checkpoint(self._pause_s)
        super().__init__(ae, mode)
        self._reactor_checkpoint = self._checkpoint
        self._checkpoint.set()
        self.dul = Reactor(self)
        # the upper layer holds the timers that these two set
        self.acse_timeout = ae.acse_timeout
        self.network_timeout = ae.network_timeout
        self.dimse.msg_queue = _Announced(self.stir)

    @property
    def network_timeout(self) -> float | None:
        """How long the peer may be silent."""
        return self._network_timeout

    @network_timeout.setter
    def network_timeout(self, seconds: float | None) -> None:
        self._network_timeout = self.dul._idle_timer.timeout = seconds
        self.stir()  # who waits for as long as it was wants to know

    def run_reactor(self) -> None:
        try:
            super().run_reactor()
        except Exception:  # the door: a stranger's request met the negotiation
            LOGGER.exception("the association cannot be served")
            self.abort(block=False)
            self.kill()

    def stir(self) -> None:
        """There is something to look at."""
        self._checkpoint.stirred.set()

    def _pause_s(self) -> float:
        waiting = self.dimse.msg_queue.queue or self.dul.to_user_queue.queue
        return _NOW_S if waiting or self._kill or self.dul.ended else self.dul.patience_s
