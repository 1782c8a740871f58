"""Ctrl-C and SIGTERM, waited for without a moment in which either could be missed, or heard at a good one."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def until_asked_to_leave() -> Iterator[Callable[[], None]]:
    """From here on SIGINT and SIGTERM are remembered; the function given waits for the first of them.

    A signal that comes just before the main thread waits for a lock does not wake it, and an Event set in a
    handler can wait for the lock that its own wait holds. A byte in a socket is neither lost nor early.
    """
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.fileno())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        try:
            yield lambda: _first_byte(reader)
        finally:
            signal.set_wakeup_fd(-1)


def _first_byte(reader: socket.socket) -> None:
    reader.recv(1)


@contextmanager
def leaving_between_steps(said: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Ctrl-C is remembered, and raised when the function given is next called; a second is raised at once.

    A framework that is interrupted within a call of its own may end the process with a signal instead. `said`
    is called when Ctrl-C is heard. Where nobody can press it, nothing changes.
    """
    before, heard = signal.getsignal(signal.SIGINT), list[int]()

    def remember(number: int, _: object) -> None:
        heard.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        said()

    def leave_if_asked() -> None:
        if heard:
            raise KeyboardInterrupt

    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, remember)
    try:
        yield leave_if_asked
    finally:
        signal.signal(signal.SIGINT, before)
