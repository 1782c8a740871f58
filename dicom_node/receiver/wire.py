"""An association's socket, and what has come of the next PDUs: waited for, and read in large pieces."""

import contextlib
import select
import socket
import ssl
import struct
import threading

from pynetdicom.association import Association
from pynetdicom.transport import AssociationSocket

from dicom_node.receiver.framing import LONGEST_PDU_BYTES, Pdu, pdu_at

_ROOM_BYTES = 1 << 18
_QUICK = getattr(socket, "TCP_QUICKACK", None)


class Bell:
    """Wakes a thread that waits for its socket. Anybody may ring; only the thread that waits may close it."""

    def __init__(self) -> None:
        self._heard, self._rung = socket.socketpair()
        self._heard.setblocking(False)
        self._rung.setblocking(False)
        self._lock = threading.Lock()
        self._open = True

    def fileno(self) -> int:
        """What becomes readable."""
        return self._heard.fileno()

    def ring(self) -> None:
        """Wake it; whoever is not there any more is not woken."""
        with self._lock, contextlib.suppress(BlockingIOError):  # it rings already
            if self._open:
                self._rung.send(b"\0")

    def silence(self) -> None:
        """Hear all that rang so far."""
        with contextlib.suppress(BlockingIOError):
            self._heard.recv(4096)

    def close(self) -> None:
        """The last thing the waiting thread does."""
        with self._lock:
            self._open = False
            self._heard.close()
            self._rung.close()


class Wire(AssociationSocket):
    """The socket below an association, plain or TLS. Its buffer holds whole PDUs one after the other."""

    def __init__(self, association: Association, connection: socket.socket, bell: Bell) -> None:
        super().__init__(association, client_socket=connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _bound(connection)
        self._bell = bell
        self._peer = connection.fileno()
        self._waiting = select.poll()
        self._waiting.register(self._peer, select.POLLIN)
        self._waiting.register(bell, select.POLLIN)
        self._buffer = bytearray()
        self._begin = self._end = 0

    @property
    def descriptor(self) -> int:
        """The socket's."""
        return self._peer

    @property
    def bell_descriptor(self) -> int:
        """What becomes readable when somebody rings."""
        return self._bell.fileno()

    def silence(self) -> None:
        """Hear all that rang so far."""
        self._bell.silence()

    @property
    def is_plain(self) -> bool:
        """Whether it is a socket without TLS: what can be read of it is known to the kernel."""
        return self.socket is not None and not isinstance(self.socket, ssl.SSLSocket)

    def wait(self, timeout_s: float) -> bool:
        """Wait for the peer, until the bell rings; whether it was the peer."""
        connection = self.socket
        if connection is None:
            return False
        if isinstance(connection, ssl.SSLSocket) and connection.pending():
            return True
        self.hurry_peer()
        stirred = [descriptor for descriptor, _ in self._waiting.poll(1000 * timeout_s)]
        if stirred and stirred != [self._peer]:
            self._bell.silence()
        return self._peer in stirred

    def hurry_peer(self) -> None:
        """A sender that waits for our acknowledgement before it sends the rest gets it now."""
        if _QUICK is not None and self.socket is not None:
            self.socket.setsockopt(socket.IPPROTO_TCP, _QUICK, 1)

    def fill(self) -> bool:
        """Receive what is there; False if the peer has closed.

        Raises:
            OSError: the connection is lost, or the peer fell silent within a TLS record.
        """
        assert self.socket is not None
        self._make_room()
        with memoryview(self._buffer) as view:
            received = self.socket.recv_into(view[self._end :])
        self._end += received
        return received > 0

    @property
    def holds(self) -> bool:
        """Whether something has come and was not used."""
        return self._begin < self._end

    def pdu(self) -> Pdu | None:
        """The next PDU: where it ends in the buffer if all of it is there, or is too long to wait for."""
        found = pdu_at(self._buffer, self._begin, self._end)
        if found is None or (found.end > self._end and found.end - self._begin <= LONGEST_PDU_BYTES):
            return None
        return found

    def view(self, pdu: Pdu) -> memoryview:
        """The bytes of `pdu`, head and all: to be released before more is received."""
        return memoryview(self._buffer)[self._begin : pdu.end]

    def skip(self, pdu: Pdu) -> None:
        """Go on behind `pdu`."""
        self._begin = pdu.end

    def take_rest(self) -> bytes:
        """What has come and was not used, whole PDUs or not: for somebody else to read."""
        rest = bytes(memoryview(self._buffer)[self._begin : self._end])
        self._begin = self._end = 0
        return rest

    def put_back(self, rest: bytes) -> None:
        """What somebody else has read and not used."""
        self._buffer = bytearray(rest)
        self._begin, self._end = 0, len(rest)

    def recv(self, nr_bytes: int) -> bytearray:
        """As pynetdicom wants it: so many bytes, or fewer if the peer has closed.

        Raises:
            OSError: a PDU far longer than any we asked for was announced; or as `fill`.
        """
        if nr_bytes > LONGEST_PDU_BYTES:
            raise OSError(f"a PDU of {nr_bytes} bytes was announced")
        while self._end - self._begin < nr_bytes and self.fill():
            continue
        end = min(self._begin + nr_bytes, self._end)
        taken, self._begin = self._buffer[self._begin : end], end
        return taken

    def _make_room(self) -> None:
        if self._begin == self._end:
            self._begin = self._end = 0
        if self._end < len(self._buffer):
            return
        rest = self._buffer[self._begin : self._end]
        self._buffer = rest + bytes(max(_ROOM_BYTES, 2 * len(rest)) - len(rest))
        self._begin, self._end = 0, len(rest)


def _bound(connection: socket.socket) -> None:
    """Let the kernel watch the time-out of a plain socket: Python would ask it before every single call."""
    timeout_s = connection.gettimeout()
    if timeout_s is None or isinstance(connection, ssl.SSLSocket):
        return
    interval = struct.pack("@ll", int(timeout_s), int(timeout_s % 1 * 1e6))
    connection.settimeout(None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, interval)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, interval)
