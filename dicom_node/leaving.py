"""Waiting for Ctrl-C or SIGTERM without a moment in which either could be missed."""

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
