"""C-STORE's two commands as bytes, both read and written (PS3.7 9.3.1, E.1)."""

import struct
from typing import Final, NamedTuple

_ELEMENT = struct.Struct("<HHL")
_US = struct.Struct("<H")
_FIXED = struct.Struct("<" + 4 * "HHLH")
_C_STORE_RQ, _C_STORE_RSP = 0x0001, 0x8001
_A_DATA_SET, _NO_DATA_SET = 0x0000, 0x0101
_LOW = 0x0002
_GROUP_LENGTH, _SOP_CLASS, _FIELD, _MESSAGE_ID = 0x0000, 0x0002, 0x0100, 0x0110
_ANSWERED_ID, _PRIORITY, _DATA_SET_TYPE = 0x0120, 0x0700, 0x0800
_STATUS, _COMMENT, _SOP_INSTANCE = 0x0900, 0x0902, 0x1000
_LONGEST_COMMENT: Final = 64


class StoreRequest(NamedTuple):
    """A C-STORE-RQ. The UIDs are as they came, with their padding, so that the response repeats them."""

    message_id: int
    sop_class: bytes
    sop_instance: bytes

    @property
    def sop_class_uid(self) -> str:
        """Without padding; byte for byte, for not every sender's UID is one."""
        return self.sop_class.decode("latin-1").strip("\0 ")

    @property
    def sop_instance_uid(self) -> str:
        """Likewise."""
        return self.sop_instance.decode("latin-1").strip("\0 ")


class StoreAnswer(NamedTuple):
    """A C-STORE-RSP: which message it answers, the status (PS3.4 B.2.3), and Error Comment or nothing."""

    message_id: int
    status: int
    comment: str


def store_request(command: bytes) -> StoreRequest | None:
    """Read a command set, Implicit VR Little Endian (PS3.7 6.3.1); None if it is not a plain C-STORE-RQ.

    None says nothing of what it is instead: it may be another command, or none at all.
    """
    values = _elements(command)
    if values is None or _number(values, _FIELD) != _C_STORE_RQ:
        return None
    message_id = _number(values, _MESSAGE_ID)
    data_set = _number(values, _DATA_SET_TYPE)
    sop_class, sop_instance = values.get(_SOP_CLASS), values.get(_SOP_INSTANCE)
    if message_id is None or data_set in (None, _NO_DATA_SET) or not sop_class or not sop_instance:
        return None
    return StoreRequest(message_id, sop_class, sop_instance)


def store_response(request: StoreRequest, status: int, comment: str = "") -> bytes:
    """The command set that answers `request`; `comment`, if any, goes into Error Comment (PS3.7 C)."""
    numbers = _FIXED.pack(
        *(0, _FIELD, _US.size, _C_STORE_RSP),
        *(0, _ANSWERED_ID, _US.size, request.message_id),
        *(0, _DATA_SET_TYPE, _US.size, _NO_DATA_SET),
        *(0, _STATUS, _US.size, status),
    )
    said = _element(_COMMENT, _padded(error_comment(comment), b" ")) if comment else b""
    about = _element(_SOP_CLASS, request.sop_class), _element(_SOP_INSTANCE, request.sop_instance)
    return _command_set(about[0] + numbers + said + about[1])


def request_command(message_id: int, sop_class_uid: str, sop_instance_uid: str) -> bytes:
    """The command set that asks to store an object; its data set follows.

    Raises:
        ValueError: a UID is not in the default repertoire.
    """
    numbers = _FIXED.pack(
        *(0, _FIELD, _US.size, _C_STORE_RQ),
        *(0, _MESSAGE_ID, _US.size, message_id),
        *(0, _PRIORITY, _US.size, _LOW),
        *(0, _DATA_SET_TYPE, _US.size, _A_DATA_SET),
    )
    about = _element(_SOP_CLASS, _padded(sop_class_uid, b"\0"))
    return _command_set(about + numbers + _element(_SOP_INSTANCE, _padded(sop_instance_uid, b"\0")))


def store_answer(command: bytes) -> StoreAnswer | None:
    """Read a command set likewise; None if it is not a C-STORE-RSP, which no data set follows."""
    values = _elements(command)
    if values is None or _number(values, _FIELD) != _C_STORE_RSP:
        return None
    message_id, status = _number(values, _ANSWERED_ID), _number(values, _STATUS)
    if message_id is None or status is None or _number(values, _DATA_SET_TYPE) != _NO_DATA_SET:
        return None
    return StoreAnswer(message_id, status, values.get(_COMMENT, b"").decode("latin-1").strip("\0 "))


def error_comment(reason: str) -> str:
    """As much of `reason` as the LO of a command set holds, in the default repertoire (PS3.7 6.3.1)."""
    printable = reason.encode("ascii", "replace").decode().replace("\\", "/")
    return printable[:_LONGEST_COMMENT]


def _elements(command: bytes) -> dict[int, bytes] | None:
    """Element numbers of group 0000 and their values; None if there is anything else."""
    values: dict[int, bytes] = {}
    at, end = 0, len(command)
    while at < end:
        if end - at < _ELEMENT.size:
            return None
        group, number, length = _ELEMENT.unpack_from(command, at)
        begin, at = at + _ELEMENT.size, at + _ELEMENT.size + length
        if group or at > end or number in values:
            return None
        values[number] = command[begin:at]
    return values


def _number(values: dict[int, bytes], element: int) -> int | None:
    value = values.get(element, b"")
    return int.from_bytes(value, "little") if len(value) == _US.size else None


def _element(number: int, value: bytes) -> bytes:
    return _ELEMENT.pack(0, number, len(value)) + value


def _command_set(elements: bytes) -> bytes:
    return _element(_GROUP_LENGTH, struct.pack("<L", len(elements))) + elements


def _padded(text: str, by: bytes) -> bytes:
    value = text.encode("ascii")
    return value + by * (len(value) % 2)
