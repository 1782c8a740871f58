"""A peer without a DICOM library: it sends the bytes it is given, and reads PDUs back."""

import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from pydicom.uid import UID

from tests.dicom_node.receiving import WAIT_S
from tests.fuzz.conversations import CONTEXTS, association_request

ACCEPTED, REJECTED, DATA, RELEASE_RQ, RELEASE_RP, ABORT = 0x02, 0x03, 0x04, 0x05, 0x06, 0x07
GONE = -1
"""What `Peer.hear` says when the connection was closed, in whatever way."""
_FRAGMENT_BYTES = 100_000
RELEASE = struct.pack(">BBLL", RELEASE_RQ, 0, 4, 0)


def pdu(kind: int, body: bytes, length: int | None = None) -> bytes:
    """A PDU that may lie about its length (PS3.8 9.3.1)."""
    return struct.pack(">BBL", kind, 0, len(body) if length is None else length) + body


class Peer:
    """One connection to a receiver."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._heard = b""

    def say(self, words: bytes) -> None:
        """Send, if the other end still listens."""
        with suppress(OSError):
            self._connection.sendall(words)

    def say_no_more(self) -> None:
        """Close our half; the other end may still answer."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)

    def hear(self) -> int:
        """The kind of the next PDU, or GONE."""
        return self._next()[0]

    def kinds(self) -> list[int]:
        """The kinds of all PDUs until the connection ends."""
        heard = []
        while (kind := self.hear()) != GONE:
            heard.append(kind)
        return heard

    def status(self) -> int:
        """The Status (0000,0900) of the next PDU, a response; GONE if it is another, or none."""
        kind, body = self._next()
        if kind != DATA:
            return GONE
        at = body.index(struct.pack("<HHL", 0x0000, 0x0900, 2))
        (status,) = struct.unpack_from("<H", body, at + 8)
        return int(status)

    def store(self, context_id: int, sop_class: str, sop_instance: str, dataset: bytes) -> int:
        """Send an object, whatever it is and is called; the status of the answer, or GONE."""
        command = b"".join(
            struct.pack("<HHL", 0, number, len(value)) + value
            for number, value in (
                (0x0002, _even(sop_class)),
                (0x0100, b"\1\0"),
                (0x0110, b"\1\0"),
                (0x0700, b"\0\0"),
                (0x0800, b"\0\0"),
                (0x1000, _even(sop_instance)),
            )
        )
        self.say(pdu(DATA, struct.pack(">LBB", len(command) + 2, context_id, 3) + command))
        for begin in range(0, max(1, len(dataset)), _FRAGMENT_BYTES):
            value = dataset[begin : begin + _FRAGMENT_BYTES]
            last = 2 if begin + _FRAGMENT_BYTES >= len(dataset) else 0
            self.say(pdu(DATA, struct.pack(">LBB", len(value) + 2, context_id, last) + value))
        return self.status()

    def _next(self) -> tuple[int, bytes]:
        if not self._until(6):
            return GONE, b""
        kind, length = struct.unpack(">BxL", self._heard[:6])
        if not self._until(6 + length):
            return GONE, b""
        body, self._heard = self._heard[6 : 6 + length], self._heard[6 + length :]
        return kind, body

    def _until(self, length: int) -> bool:
        while len(self._heard) < length:
            try:
                more = self._connection.recv(1 << 16)
            except ConnectionResetError:
                return False
            if not more:
                return False
            self._heard += more
        return True


def _even(text: str) -> bytes:
    value = text.encode("latin-1", "replace")
    return value + b"\0" * (len(value) % 2)


@contextmanager
def connected(port: int) -> Iterator[Peer]:
    """A connection that has said nothing."""
    with socket.create_connection(("127.0.0.1", port), WAIT_S) as connection:
        yield Peer(connection)


@contextmanager
def associated(port: int, contexts: Sequence[tuple[int, UID, UID]] = CONTEXTS) -> Iterator[Peer]:
    """An association for these contexts."""
    with connected(port) as peer:
        peer.say(association_request(contexts))
        assert peer.hear() == ACCEPTED
        yield peer
