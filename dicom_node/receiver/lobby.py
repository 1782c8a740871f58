"""Where a connection waits until it has said who it is, so that saying nothing costs no thread."""

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Final, final

ROOM: Final = 700
"""With the associations' own this stays below 1,024: `select`, which pynetdicom uses, counts no further."""
PATIENCE_S: Final = 10.0

_LOOK_AGAIN_S: Final = 0.1
_LONGEST_FIRST_WORDS: Final = 16_384

Address = tuple[Any, ...]


@final
class Lobby:
    """Holds accepted connections; hands each on once its first message is there and there is room inside.

    Whoever takes longer than `patience_s` is closed, and when the lobby is full, whoever has waited longest:
    a sender that speaks at once passes, however many stand about in silence.
    """

    def __init__(
        self,
        admit: Callable[[socket.socket, Address], None],
        has_room: Callable[[], bool],
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._admit = admit
        self._has_room = has_room
        self._patience_s = patience_s
        self._arrived: SimpleQueue[tuple[socket.socket, Address]] = SimpleQueue()
        self._waiting: dict[socket.socket, tuple[Address, float]] = {}
        self._speaking: set[socket.socket] = set()
        self._silent = selectors.DefaultSelector()
        self._bell, self._ring = socket.socketpair()
        self._open = True
        self._thread = threading.Thread(target=self._run, name="lobby", daemon=True)

    def start(self) -> None:
        """Begin to hand on."""
        self._bell.setblocking(False)
        self._ring.setblocking(False)
        self._silent.register(self._bell, selectors.EVENT_READ)
        self._thread.start()

    def enter(self, connection: socket.socket, address: Address) -> None:
        """Take a connection in."""
        self._arrived.put((connection, address))
        self._wake()

    def close(self) -> None:
        """Close whoever still waits."""
        self._open = False
        self._wake()
        self._thread.join()
        self._ring.close()
        self._bell.close()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it rings already
            self._ring.send(b"\0")

    def _run(self) -> None:
        while self._open:
            for key, _ in self._silent.select(self._pause_s()):
                self._hear(key.fileobj)
            self._take_in()
            for connection in list(self._speaking):
                self._look_at(connection)
            self._show_out()
        for connection in list(self._waiting):
            self._drop(connection)
        self._silent.close()

    def _pause_s(self) -> float | None:
        if self._speaking:
            return _LOOK_AGAIN_S
        if not self._waiting:
            return None
        return max(0.0, next(iter(self._waiting.values()))[1] + self._patience_s - time.monotonic())

    def _hear(self, source: object) -> None:
        if source is self._bell:
            with contextlib.suppress(BlockingIOError):
                self._bell.recv(4096)
        elif isinstance(source, socket.socket):
            self._silent.unregister(source)
            self._speaking.add(source)

    def _take_in(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                connection, address = self._arrived.get_nowait()
                if len(self._waiting) >= ROOM:
                    self._drop(next(iter(self._waiting)))
                connection.setblocking(False)
                self._waiting[connection] = address, time.monotonic()
                self._silent.register(connection, selectors.EVENT_READ)

    def _look_at(self, connection: socket.socket) -> None:
        """Hand on whoever has said enough."""
        try:
            said = connection.recv(_LONGEST_FIRST_WORDS, socket.MSG_PEEK)
        except OSError:
            said = b""
        if not said:
            self._drop(connection)
        elif introduced(said) and self._has_room():
            self._speaking.discard(connection)
            address, _ = self._waiting.pop(connection)
            connection.setblocking(True)
            try:
                self._admit(connection, address)
            except RuntimeError:  # the system gives us no further thread
                connection.close()

    def _show_out(self) -> None:
        late = time.monotonic() - self._patience_s
        for connection in [one for one, (_, since) in self._waiting.items() if since <= late]:
            self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        del self._waiting[connection]
        if connection in self._speaking:
            self._speaking.discard(connection)
        else:
            self._silent.unregister(connection)
        connection.close()


def introduced(said: bytes) -> bool:
    """Whether a first message is whole: an A-ASSOCIATE-RQ (PS3.8 9.3.2) or a TLS record (RFC 8446 5.1).

    What is neither counts as whole, since there is nothing to wait for; so does one that is very long.
    """
    match said[0]:
        case 0x01:
            length = 6 + int.from_bytes(said[2:6], "big") if len(said) >= 6 else None
        case 0x16:
            length = 5 + int.from_bytes(said[3:5], "big") if len(said) >= 5 else None
        case _:
            return True
    return length is not None and len(said) >= min(length, _LONGEST_FIRST_WORDS)
