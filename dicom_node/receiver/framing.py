"""PDUs and their fragments, in the bytes as they came: functions that only look (PS3.8 9.3, Annex E)."""

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

A_ASSOCIATE_RQ: Final = 0x01
P_DATA_TF: Final = 0x04
LONGEST_PDU_BYTES: Final = 1 << 20
"""Far longer than any that we ask for: whoever announces more is not believed."""
_LONGEST_SENT_BYTES = 1 << 17
_BLOCK_BYTES = 1 << 18

_PDU_HEAD = struct.Struct(">BxL")
_PDV_HEAD = struct.Struct(">LBB")
_LENGTH_BYTES = 4
_COMMAND, _LAST = 0x01, 0x02


class Malformed(Exception):
    """What the peer sent is no P-DATA-TF, or not in this place: the association cannot go on."""


class Pdu(NamedTuple):
    """Where a PDU lies: its type, and the position behind its last byte."""

    kind: int
    end: int


class Fragment(NamedTuple):
    """One presentation data value (PS3.8 9.3.5.1). `value` is a view of the PDU, not a copy."""

    context_id: int
    is_command: bool
    is_last: bool
    value: memoryview


def pdu_at(received: bytes | bytearray | memoryview, begin: int, end: int) -> Pdu | None:
    """The PDU that begins at `begin`, as far as `end` received; None if its length is not there yet."""
    if end - begin < _PDU_HEAD.size:
        return None
    kind, length = _PDU_HEAD.unpack_from(received, begin)
    return Pdu(kind, begin + _PDU_HEAD.size + length)


def fragments(pdu: memoryview) -> list[Fragment]:
    """What a whole P-DATA-TF consists of, its head included in `pdu`.

    Raises:
        Malformed: there is no fragment, or one reaches beyond the PDU's end.
    """
    found = []
    at, end = _PDU_HEAD.size, len(pdu)
    while at < end:
        if end - at < _PDV_HEAD.size:
            raise Malformed("a presentation data value is cut short")
        length, context_id, control = _PDV_HEAD.unpack_from(pdu, at)
        begin, at = at + _PDV_HEAD.size, at + _LENGTH_BYTES + length
        if not begin <= at <= end:
            raise Malformed("a presentation data value does not fit into its PDU")
        found.append(Fragment(context_id, bool(control & _COMMAND), bool(control & _LAST), pdu[begin:at]))
    if not found:
        raise Malformed("a P-DATA-TF without a presentation data value")
    return found


def command_pdus(context_id: int, command: bytes, longest_bytes: int) -> bytes:
    """`command` as P-DATA-TFs of at most `longest_bytes` each behind their heads; 0: as long as it takes."""
    room = max(1, longest_bytes - _PDV_HEAD.size) if longest_bytes else len(command)
    return _pdus(context_id, _COMMAND, command, room, ends=True)


def data_set_pdus(context_id: int, dataset: BinaryIO, longest_bytes: int) -> Iterator[bytes]:
    """The rest of `dataset` as P-DATA-TFs likewise, in blocks of whole ones; at least one block.

    Fragments are even but for the last, and no longer than 128 kB even if the peer takes more.
    """
    longest_bytes = min(longest_bytes or _LONGEST_SENT_BYTES, _LONGEST_SENT_BYTES)
    room = max(2, (longest_bytes - _PDV_HEAD.size) // 2 * 2)
    step = max(1, _BLOCK_BYTES // room) * room
    block = dataset.read(step)
    while True:
        following = dataset.read(step)
        yield _pdus(context_id, 0, block, room, ends=not following)
        if not following:
            return
        block = following


def _pdus(context_id: int, control: int, value: bytes, room: int, *, ends: bool) -> bytes:
    """`value` as P-DATA-TFs of one fragment of at most `room` bytes each, the last of all if `ends`."""
    parts: list[bytes | memoryview] = []
    view = memoryview(value)
    for begin in range(0, max(1, len(value)), room):
        piece = view[begin : begin + room]
        is_last = ends and begin + room >= len(value)
        parts.append(_PDU_HEAD.pack(P_DATA_TF, _PDV_HEAD.size + len(piece)))
        parts.append(_PDV_HEAD.pack(len(piece) + 2, context_id, control | (_LAST if is_last else 0)))
        parts.append(piece)
    return b"".join(parts)
