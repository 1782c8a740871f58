"""PDUs as trees that may lie about their lengths (PS3.8 9.3): taken apart, changed, and put together again."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

P_DATA = 0x04
_PDU, _PDV, _ITEM = struct.Struct(">BBL"), struct.Struct(">LBB"), struct.Struct(">BBH")
_FIXED_OF_ASSOCIATE = 68  # protocol version, titles, reserved: PS3.8 9.3.2
NESTED_ITEMS = (0x20, 0x21, 0x50)


@dataclass
class Pdv:
    """One presentation data value; `length` is what it claims, if that is not the truth."""

    context_id: int
    control: int
    value: bytes
    length: int | None = None

    def encoded(self) -> bytes:
        length = len(self.value) + 2 if self.length is None else self.length
        return _PDV.pack(length & 0xFFFFFFFF, self.context_id & 0xFF, self.control & 0xFF) + self.value


@dataclass
class Item:
    """One item of an A-ASSOCIATE-RQ, with those inside it, or its bytes."""

    kind: int
    head: bytes = b""
    inner: list["Item"] = field(default_factory=list)
    length: int | None = None

    def encoded(self) -> bytes:
        body = self.head + b"".join(item.encoded() for item in self.inner)
        length = len(body) if self.length is None else self.length
        return _ITEM.pack(self.kind & 0xFF, 0, length & 0xFFFF) + body


@dataclass
class Pdu:
    """One PDU: a head of bytes, then values (P-DATA-TF) or items (A-ASSOCIATE-RQ)."""

    kind: int
    head: bytes = b""
    parts: list[Pdv] | list[Item] = field(default_factory=list)
    length: int | None = None

    def encoded(self) -> bytes:
        body = self.head + b"".join(part.encoded() for part in self.parts)
        length = len(body) if self.length is None else self.length
        return _PDU.pack(self.kind & 0xFF, 0, length & 0xFFFFFFFF) + body

    @property
    def values(self) -> list[Pdv]:
        return [part for part in self.parts if isinstance(part, Pdv)]

    @property
    def items(self) -> list[Item]:
        """Every item, the outer ones first."""
        return list(_all_items([part for part in self.parts if isinstance(part, Item)]))


Stream = list[Pdu]


def encoded(stream: Stream) -> bytes:
    """What goes over the wire."""
    return b"".join(pdu.encoded() for pdu in stream)


def parsed(pdu: bytes) -> Pdu:
    """The tree of a well-formed PDU."""
    kind, _, _ = _PDU.unpack_from(pdu)
    body = pdu[_PDU.size :]
    if kind == P_DATA:
        return Pdu(kind, parts=list(_values(body)))
    if kind == 0x01:
        return Pdu(kind, body[:_FIXED_OF_ASSOCIATE], list(_items(body[_FIXED_OF_ASSOCIATE:])))
    return Pdu(kind, body)


def _values(body: bytes) -> Iterator[Pdv]:
    at = 0
    while at < len(body):
        length, context_id, control = _PDV.unpack_from(body, at)
        yield Pdv(context_id, control, body[at + _PDV.size : at + 4 + length])
        at += 4 + length


def _items(body: bytes) -> Iterator[Item]:
    at = 0
    while at < len(body):
        kind, _, length = _ITEM.unpack_from(body, at)
        inside = body[at + _ITEM.size : at + _ITEM.size + length]
        if kind in NESTED_ITEMS:
            fixed = 0 if kind == 0x50 else 4
            yield Item(kind, inside[:fixed], list(_items(inside[fixed:])))
        else:
            yield Item(kind, inside)
        at += _ITEM.size + length


def _all_items(items: list[Item]) -> Iterator[Item]:
    for item in items:
        yield item
        yield from _all_items(item.inner)
