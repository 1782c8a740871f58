"""A few threads that serve the objects of all associations, whoever of them has something to say.

With a thread for each, eight senders kept eight threads waking each other for the interpreter's lock, some
fifty times per image. A few hands take turns at one epoll: who is free hears the next sender, and stores its
object from the first byte to the answer without handing it to anybody.
"""

import contextlib
import select
import socket
import threading
from collections.abc import Callable
from typing import Final, final

HANDS: Final = 4
"""While one waits for the disk, another computes; more of them only wait for each other."""

_ONCE: Final = select.EPOLLIN | select.EPOLLONESHOT


@final
class Loan:
    """A connection that its association has lent, until one of the two sides ends that."""

    def __init__(self, descriptor: int, serve: Callable[[], bool], give_back: Callable[[], None]) -> None:
        """`serve` is called when something has come, and must not wait for the peer: False if it is to end.

        `give_back` is called when it has ended so; `error` then is what `serve` raised, if it did.
        """
        self.descriptor = descriptor
        self.serve = serve
        self.give_back = give_back
        self.lent = True
        self.error: Exception | None = None
        self.in_use = threading.Lock()


@final
class Hands:
    """Hears all connections that are lent, and serves each with one hand at a time."""

    def __init__(self, number: int = HANDS) -> None:
        self._stirred = select.epoll()
        self._loans: dict[int, Loan] = {}
        self._bell, self._ring = socket.socketpair()
        self._threads = [
            threading.Thread(target=self._run, name=f"hand {one}", daemon=True) for one in range(number)
        ]

    def start(self) -> None:
        """Begin to serve."""
        self._stirred.register(self._bell, select.EPOLLIN)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads, each after what it is doing."""
        self._ring.send(b"\0")  # never read: every hand hears it
        for thread in self._threads:
            thread.join()
        self._stirred.close()
        self._bell.close()
        self._ring.close()

    def lend(self, loan: Loan) -> None:
        """From now on whatever comes is served by a hand."""
        self._loans[loan.descriptor] = loan
        self._stirred.register(loan.descriptor, _ONCE)

    def take_back(self, loan: Loan) -> bool:
        """Once this returns, no hand touches the connection; False if a hand had given it back already."""
        with loan.in_use:
            was_lent = loan.lent
            if was_lent:
                self._end(loan)
        return was_lent

    def _end(self, loan: Loan) -> None:
        loan.lent = False
        del self._loans[loan.descriptor]
        with contextlib.suppress(OSError, ValueError):  # the connection, or we, have been closed
            self._stirred.unregister(loan.descriptor)

    def _run(self) -> None:
        while True:
            for descriptor, _ in self._stirred.poll(maxevents=1):
                if descriptor == self._bell.fileno():
                    return
                loan = self._loans.get(descriptor)
                if loan is not None:  # else it was taken back a moment ago
                    self._serve(loan)

    def _serve(self, loan: Loan) -> None:
        with loan.in_use:
            if not loan.lent:
                return
            if self._goes_on(loan):
                return
            self._end(loan)
        loan.give_back()

    def _goes_on(self, loan: Loan) -> bool:
        try:
            if loan.serve():
                self._stirred.modify(loan.descriptor, _ONCE)
                return True
        except Exception as error:  # noqa: BLE001 - one association's trouble must not cost the others a hand
            loan.error = error
        return False
