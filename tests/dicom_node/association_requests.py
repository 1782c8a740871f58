"""A-ASSOCIATE-RQs as bytes, plain ones and odd ones, and what comes back for them (PS3.8 9.3)."""

import socket
import struct
from collections.abc import Sequence

from pynetdicom.sop_class import _STORAGE_CLASSES

AC, RELEASE_RQ, RELEASE_RP = 0x02, b"\5\0\0\0\0\4\0\0\0\0", b"\6\0\0\0\0\4\0\0\0\0"
MR, CT, ECHO = b"1.2.840.10008.5.1.4.1.1.4", b"1.2.840.10008.5.1.4.1.1.2", b"1.2.840.10008.1.1"
COMMITMENT, QUERY = b"1.2.840.10008.1.20.1", b"1.2.840.10008.5.1.4.1.2.2.1"
IMPLICIT, EXPLICIT, BIG = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.2"
JPEG, JPEG_LS, MPEG = b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.4.80", b"1.2.840.10008.1.2.4.102"
_APPLICATION = b"1.2.840.10008.3.1.1.1"


def item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(body)) + body


def context(number: int, abstract: bytes, *transfers: bytes) -> bytes:
    syntaxes = item(0x30, abstract) + b"".join(item(0x40, one) for one in transfers)
    return item(0x20, bytes((number, 0, 0, 0)) + syntaxes)


def contexts(proposed: Sequence[tuple[bytes, ...]]) -> bytes:
    """One context for each tuple of an abstract syntax and its transfer syntaxes."""
    return b"".join(context(2 * at + 1, *one) for at, one in enumerate(proposed))


def user(*also: bytes) -> bytes:
    """The user information item, with these sub-items as well."""
    usual = item(0x51, struct.pack(">L", 16384)) + item(0x52, b"1.2.3.4") + item(0x55, b"ODD_1")
    return item(0x50, usual + b"".join(also))


def request(*items: bytes, version: int = 1, calling: bytes = b"ODD") -> bytes:
    """The whole PDU of these items, which are to be in order; the application context is put before them."""
    head = struct.pack(">HH", version, 0) + b"DICOMNODE".ljust(16) + calling.ljust(16) + bytes(32)
    body = head + item(0x10, _APPLICATION) + b"".join(items)
    return struct.pack(">BxL", 1, len(body)) + body


def _named(uid: bytes, *rest: bytes) -> bytes:
    return struct.pack(">H", len(uid)) + uid + b"".join(rest)


ROLES = item(0x54, _named(COMMITMENT, b"\1\1"))
EXTENDED = item(0x56, _named(MR, b"\2\0\1"))
COMMON_EXTENDED = item(0x57, _named(MR, _named(b"1.2.840.10008.4.2"), struct.pack(">H", 0)))
IDENTITY = item(0x58, b"\2\1" + _named(b"somebody") + _named(b"secret"))
WINDOW = item(0x53, struct.pack(">HH", 5, 5))

_STORAGE = [str(uid).encode() for uid in list(_STORAGE_CLASSES.values())[:64]]
MANY = contexts([one for uid in _STORAGE for one in ((uid, EXPLICIT, BIG, IMPLICIT), (uid, IMPLICIT))])
SOME = contexts([(MR, JPEG, IMPLICIT, EXPLICIT, JPEG_LS), (QUERY, IMPLICIT), (ECHO, IMPLICIT), (CT, MPEG)])

NEGOTIATED = {
    "as DCMTK's storescu": request(MANY, user()),
    "several transfer syntaxes": request(SOME, user()),
    "an abstract syntax twice": request(contexts([(MR, IMPLICIT), (MR, EXPLICIT), (MR, MPEG)]), user()),
    "numbers out of order": request(
        context(9, QUERY, BIG), context(3, MR, BIG), context(1, b"1.2", BIG), user()
    ),
    "a number twice": request(context(1, MR, EXPLICIT), context(1, CT, IMPLICIT), user()),
    "a number twice, once rejected": request(context(1, MR, EXPLICIT), context(1, QUERY, BIG), user()),
    "a context twice": request(context(1, MR, EXPLICIT), context(1, MR, IMPLICIT), user()),
    "two abstract syntaxes in one": request(
        item(0x20, b"\1\0\0\0" + item(0x30, MR) + item(0x30, CT) + item(0x40, EXPLICIT)), user()
    ),
    "nothing that we accept": request(contexts([(QUERY, IMPLICIT), (b"1.2.3", EXPLICIT)]), user()),
    "transfer syntaxes that we do not accept": request(contexts([(MR, MPEG, b"1.2.3"), (CT, MPEG)]), user()),
    "UIDs that are not quite": request(
        contexts([(MR + b"\0", IMPLICIT + b"\0"), (b"1.02.3", b"1.02"), (b"1." + b"2" * 70, IMPLICIT)]),
        user(),
    ),
    "UIDs that are none": request(contexts([(b"MR", b"plain"), (b" ", IMPLICIT), (MR, IMPLICIT)]), user()),
    "an empty transfer syntax beside another": request(context(1, MR, b"", IMPLICIT), user()),
    "contexts behind the user information": request(
        context(1, MR, EXPLICIT), user(), context(3, CT, IMPLICIT)
    ),
    "an empty abstract syntax": request(context(1, b"", EXPLICIT), user()),
    "extended negotiation": request(SOME, user(EXTENDED, COMMON_EXTENDED, WINDOW)),
    "user identity": request(SOME, user(IDENTITY)),
    "another caller": request(SOME, user(), calling=b"ANOTHER"),
}
"""What is accepted, and depends on nothing but the contexts."""

LEFT_ALONE = {
    "no context": request(user()),
    "roles": request(contexts([(MR, EXPLICIT), (COMMITMENT, IMPLICIT)]), user(ROLES)),
    "roles in a second user information": request(context(1, COMMITMENT, IMPLICIT), user(), user(ROLES)),
    "more contexts than numbers": request(
        *[context(2 * at % 256 + 1, b"1.2.%d" % at, *[MPEG] * 9) for at in range(90)], user()
    ),
}
"""What is accepted, and each time negotiated anew."""

NOT_ACCEPTED = {
    "an even number": request(context(2, MR, EXPLICIT), user()),
    "no abstract syntax": request(item(0x20, b"\1\0\0\0" + item(0x40, EXPLICIT)), user()),
    "no transfer syntax": request(context(1, MR), user()),
    "an empty transfer syntax": request(context(1, QUERY, b""), user()),
    "bytes that are no characters": request(context(1, b"\xff\xfe", EXPLICIT), user()),
    "an item that is unknown": request(context(1, MR, EXPLICIT), item(0x99, b"?"), user()),
    "a context of an unknown item": request(item(0x20, b"\1\0\0\0" + item(0x77, b"?")), user()),
    "a context cut short": request(item(0x20, b"\1\0\0\0" + item(0x30, MR)[:-3]), user()),
    "a context of nothing": request(item(0x20, b""), user()),
    "an item that goes on behind the end": request(context(1, MR, EXPLICIT), user()[:-4]),
    "an item without a length": request(context(1, MR, EXPLICIT), user(), b"\x20\0\0"),
    "a sub-item that goes on behind the end": request(
        context(1, MR, EXPLICIT), item(0x50, item(0x52, b"1.2.3")[:-2])
    ),
    "another protocol": request(context(1, MR, EXPLICIT), user(), version=2),
}


class Peer:
    """A connection on which a request was sent; `answer` is all that came for it."""

    def __init__(self, port: int, *said: bytes) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port), 20.0)
        self._connection.sendall(b"".join(said))
        self.answer = self._read(6)
        self.answer += self._read(int.from_bytes(self.answer[2:6], "big"))

    def _read(self, length: int) -> bytes:
        said = b""
        while len(said) < length and (more := self._connection.recv(length - len(said))):
            said += more
        return said

    def close(self) -> None:
        if self.answer[:1] == bytes([AC]):
            self._connection.sendall(RELEASE_RQ)
            assert self._read(len(RELEASE_RP)) == RELEASE_RP
        self.hang_up()

    def hang_up(self) -> None:
        self._connection.close()


def answer(port: int, said: bytes) -> bytes:
    """The first PDU that comes for this one."""
    peer = Peer(port, said)
    peer.close()
    return peer.answer
