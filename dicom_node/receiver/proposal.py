"""An A-ASSOCIATE-RQ taken apart: its presentation contexts, and all the rest (PS3.8 9.3.2)."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from dicom_node.receiver.framing import Malformed

_HEAD = struct.Struct(">BxL")
_FIRST_ITEM = 74
_ITEM_HEAD = struct.Struct(">BxH")
_PRESENTATION_CONTEXT, _USER_INFORMATION, _ROLE_SELECTION = 0x20, 0x50, 0x54


class Proposal(NamedTuple):
    """`contexts` are the items of the presentation contexts, `rest` is the PDU without them."""

    contexts: bytes
    rest: bytes
    selects_roles: bool


def proposal(pdu: bytes) -> Proposal:
    """Take an A-ASSOCIATE-RQ apart. Nothing within a presentation context is looked at.

    Raises:
        Malformed: its items do not fill it.
    """
    contexts, others, selects_roles = [], [], False
    for kind, item in _items(pdu[_FIRST_ITEM:]):
        if kind == _PRESENTATION_CONTEXT:
            contexts.append(item)
            continue
        others.append(item)
        if kind == _USER_INFORMATION:
            kinds = [kind for kind, _ in _items(item[_ITEM_HEAD.size :])]
            selects_roles = selects_roles or _ROLE_SELECTION in kinds
    rest = pdu[_HEAD.size : _FIRST_ITEM] + b"".join(others)
    return Proposal(b"".join(contexts), _HEAD.pack(pdu[0], len(rest)) + rest, selects_roles)


def _items(encoded: bytes) -> Iterator[tuple[int, bytes]]:
    """Items, or the sub-items of one: their types, and the whole of each."""
    at = 0
    while at < len(encoded):
        if len(encoded) - at < _ITEM_HEAD.size:
            raise Malformed("an item is cut short")
        kind, length = _ITEM_HEAD.unpack_from(encoded, at)
        begin, at = at, at + _ITEM_HEAD.size + length
        if at > len(encoded):
            raise Malformed("an item does not fit into what holds it")
        yield kind, encoded[begin:at]
