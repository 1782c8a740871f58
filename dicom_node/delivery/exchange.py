"""C-STORE on a socket of our own: requests, their answers, and every way it can end (PS3.8 9.2)."""

import contextlib
import socket
import ssl
import time
from typing import BinaryIO, Final, final

from dicom_node.receiver.framing import (
    LONGEST_PDU_BYTES,
    P_DATA_TF,
    Malformed,
    command_pdus,
    data_set_pdus,
    fragments,
    pdu_at,
)
from dicom_node.receiver.store_command import StoreAnswer, request_command, store_answer

_RELEASE_RQ, _RELEASE_RP, _ABORT = 0x05, 0x06, 0x07
_BY_USER: Final = 0
_BY_PROVIDER: Final = 2
_LAST_MESSAGE_ID = 0xFFFF
_RECEIVED_AT_ONCE_BYTES = 1 << 16
_NOW_S = 0.0
_QUICK = getattr(socket, "TCP_QUICKACK", None)


class Ended(Exception):
    """The association is over. The message says what the peer did: "aborted the association"."""


@final
class Exchange:
    """An association in data transfer (Sta6), on a plain or a TLS socket that is ours alone.

    A request is written whole before its answer is waited for, by the thread that called; nobody else knows
    the socket, so nobody else can take the answer. An answer counts if it names the request's message ID.
    Each wait ends after `timeout_s`: for room to send a little more, for an answer, for the release.
    """

    def __init__(self, wire: socket.socket, longest_bytes: int, timeout_s: float) -> None:
        """`longest_bytes`: the peer's maximum length of a PDU, 0 if it has none."""
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wire = wire
        self._longest_bytes = longest_bytes
        self._timeout_s = timeout_s
        self._heard = bytearray()
        self._message_id = 0
        self._over = False

    def is_open(self) -> bool:
        """Whether another object can be sent: the peer may have ended the association after the last one."""
        with contextlib.suppress(Ended):
            if not self._over:
                self._overhear()
        return not self._over

    def store(
        self, context_id: int, sop_class_uid: str, sop_instance_uid: str, dataset: BinaryIO
    ) -> StoreAnswer:
        """Send the rest of `dataset` as one object on the open association, and wait for the answer.

        Raises:
            Ended: there was none.
            ValueError: a UID cannot be sent; nothing was.
            OSError: `dataset` cannot be read to its end; if something was sent, the association is aborted.
        """
        self._message_id = self._message_id % _LAST_MESSAGE_ID + 1
        command = request_command(self._message_id, sop_class_uid, sop_instance_uid)
        blocks = data_set_pdus(context_id, dataset, self._longest_bytes)
        self._say(command_pdus(context_id, command, self._longest_bytes) + next(blocks))
        try:
            for block in blocks:
                self._overhear()
                self._say(block)
        except OSError:
            self._abort(_BY_USER)
            raise
        return self._answer()

    def release(self) -> None:
        """End the association in order, or at least end it (PS3.8 7.2)."""
        if self._over:
            return
        with contextlib.suppress(Ended):
            self._say(_short(_RELEASE_RQ))
            until_s = self._deadline_s()
            while (kind := self._next(until_s)[0]) in (P_DATA_TF, _RELEASE_RQ):
                if kind == _RELEASE_RQ:  # both at once: who asked for the association answers first
                    self._say(_short(_RELEASE_RP))
            self._close()

    def _answer(self) -> StoreAnswer:
        until_s = self._deadline_s()
        command, complete = b"", False
        try:
            while not complete and len(command) < LONGEST_PDU_BYTES:
                for fragment in fragments(memoryview(self._hear(until_s))):
                    if complete or not fragment.is_command:
                        raise Malformed("a fragment that does not belong to an answer")
                    command += fragment.value
                    complete = fragment.is_last
        except Malformed as error:
            raise self._astray() from error
        answer = store_answer(command)
        if answer is None or answer.message_id != self._message_id:
            raise self._astray()
        return answer

    def _hear(self, until_s: float) -> bytes:
        """The next P-DATA-TF; any other PDU ends the association."""
        pdu = self._next(until_s)
        if pdu[0] == P_DATA_TF:
            return pdu
        if pdu[0] == _ABORT:
            raise self._ended("aborted the association")
        if pdu[0] == _RELEASE_RQ:
            self._say(_short(_RELEASE_RP))
            raise self._ended("wanted to end the association")
        raise self._astray()

    def _next(self, until_s: float) -> bytes:
        """The next PDU, whole."""
        while True:
            found = pdu_at(self._heard, 0, len(self._heard))
            if found is not None and found.end > LONGEST_PDU_BYTES:
                raise self._astray()
            if found is not None and found.end <= len(self._heard):
                pdu = bytes(self._heard[: found.end])
                del self._heard[: found.end]
                return pdu
            left_s = until_s - time.monotonic()
            if left_s <= _NOW_S or not self._receive(left_s):
                self._abort(_BY_USER)
                raise Ended(f"was silent for {self._timeout_s:g} s")

    def _overhear(self) -> None:
        """Hear what the peer said meanwhile: an answer waits for its turn, anything else ends it."""
        self._receive(_NOW_S)
        if self._heard and self._heard[0] != P_DATA_TF:
            self._hear(self._deadline_s())
        if len(self._heard) > LONGEST_PDU_BYTES:
            raise self._astray()

    def _receive(self, timeout_s: float) -> bool:
        """Add to what was heard; whether anything came in time."""
        self._wire.settimeout(timeout_s)
        try:
            if _QUICK is not None:
                # a peer that waits for our acknowledgement before it sends the rest of its answer gets it now
                self._wire.setsockopt(socket.IPPROTO_TCP, _QUICK, 1)
            received = self._wire.recv(_RECEIVED_AT_ONCE_BYTES)
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError as error:
            raise self._ended("was lost") from error
        if not received:
            raise self._ended("hung up")
        self._heard += received
        return True

    def _say(self, pdus: bytes) -> None:
        """Send whole PDUs; slowly is allowed, standing still is not."""
        self._wire.settimeout(self._timeout_s)
        at = 0
        try:
            with memoryview(pdus) as view:
                while at < len(view):
                    at += self._wire.send(view[at:])
        except TimeoutError as error:
            self._abort(_BY_USER)
            raise Ended(f"took nothing more for {self._timeout_s:g} s") from error
        except OSError as error:
            self._overhear()  # what it said before it hung up
            raise self._ended("hung up") from error

    def _astray(self) -> Ended:
        self._abort(_BY_PROVIDER)
        return Ended("said something that is no answer")

    def _ended(self, how: str) -> Ended:
        self._close()
        return Ended(how)

    def _abort(self, source: int) -> None:
        """Say so if there is room to, and close."""
        self._wire.settimeout(_NOW_S)
        with contextlib.suppress(OSError):
            self._wire.send(_short(_ABORT, source))
        self._close()

    def _close(self) -> None:
        self._over = True
        with contextlib.suppress(OSError):
            self._wire.shutdown(socket.SHUT_RDWR)
        self._wire.close()

    def _deadline_s(self) -> float:
        return time.monotonic() + self._timeout_s


def _short(kind: int, source: int = 0) -> bytes:
    """A-RELEASE-RQ, A-RELEASE-RP or A-ABORT, ten bytes each (PS3.8 9.3.6-9.3.8)."""
    return bytes([kind, 0, 0, 0, 0, 4, 0, 0, source, 0])
