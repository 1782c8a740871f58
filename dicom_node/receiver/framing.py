"""PDUs and their fragments, in the bytes as they came: functions that only look (PS3.8 9.3, Annex E)."""

import struct
from typing import Final, NamedTuple

P_DATA_TF: Final = 0x04
LONGEST_PDU_BYTES: Final = 1 << 20
"""Far longer than any that we ask for: whoever announces more is not believed."""

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
    pdus = []
    for begin in range(0, len(command), room):
        value = command[begin : begin + room]
        control = _COMMAND | _LAST if begin + room >= len(command) else _COMMAND
        head = _PDV_HEAD.pack(len(value) + 2, context_id, control)
        pdus.append(_PDU_HEAD.pack(P_DATA_TF, len(head) + len(value)) + head + value)
    return b"".join(pdus)
