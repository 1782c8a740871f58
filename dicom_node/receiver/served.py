"""Pynetdicom's association, whose thread waits where it would poll.

It would look at its queues and sleep a millisecond in turns: here its checkpoint stays closed until something
has been put into one. What it does with it is pynetdicom's.
"""

import logging
import threading
from collections.abc import Callable

from pynetdicom import AE
from pynetdicom.association import Association

from dicom_node.receiver.negotiation import Negotiation, Outcomes
from dicom_node.receiver.reactor import Announced, Reactor

_NOW_S = 0.0

LOGGER = logging.getLogger("pynetdicom.served")


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
    """An association on a `Reactor`."""

    acse: Negotiation
    dul: Reactor

    def __init__(self, ae: AE, mode: str, outcomes: Outcomes) -> None:
        """`outcomes` are what all associations know of those before them."""
        self._checkpoint = _Checkpoint(self._pause_s)
        super().__init__(ae, mode)
        self.acse = Negotiation(self, outcomes)
        self._reactor_checkpoint = self._checkpoint
        self._checkpoint.set()
        self.dul = Reactor(self, self.stir, self.acse)
        # the upper layer holds the timers that these two set
        self.acse_timeout = ae.acse_timeout
        self.network_timeout = ae.network_timeout
        self.dimse.msg_queue = Announced(self.stir)

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
