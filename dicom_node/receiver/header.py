"""Which study, which instance: read out of a data set's bytes without touching its pixels."""

import threading
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import UID

from dicom_node.errors import NotUnderstood

SOP_CLASS_UID = 0x00080016
SOP_INSTANCE_UID = 0x00080018
MODEL_NAME = 0x00081090
STUDY_INSTANCE_UID = 0x0020000D
_WANTED = (SOP_CLASS_UID, SOP_INSTANCE_UID, MODEL_NAME, STUDY_INSTANCE_UID)
_PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_ITEM, _END_OF_SEQUENCE = 0xFFFEE000, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
LONGEST_UID = 256
_CHUNK_BYTES = 1 << 20
_ONE_AT_A_TIME = threading.Lock()
"""Held while a deflated data set is unpacked: a thousandth of it came over the wire, all of it is held."""


@dataclass(frozen=True, slots=True)
class Header:
    """What reception needs to know of a data set. UIDs are verbatim but for padding."""

    study_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    model_name: str


def read_header(encoded: BinaryIO, transfer_syntax: UID, max_bytes: int) -> Header:
    """Read `encoded`, a data set without file meta, up to its pixel data.

    `max_bytes` bounds what a deflated data set may unpack to. Not only our own errors come out of here: the
    bytes are a stranger's, and pydicom meets them with many exceptions, RecursionError among them.

    Raises:
        NotUnderstood: it is cut short, or one of the three UIDs is missing or longer than any UID.
    """
    if not transfer_syntax.is_deflated:
        return _header(encoded, transfer_syntax)
    with _ONE_AT_A_TIME:
        return _header(_inflated(encoded, max_bytes), transfer_syntax)


def _header(encoded: BinaryIO, transfer_syntax: UID) -> Header:
    size = encoded.seek(0, 2)
    encoded.seek(0)
    walk = _Walk(encoded)
    dataset = _read(encoded, transfer_syntax, walk)
    if walk.is_cut_short(size, swapped=not transfer_syntax.is_little_endian):
        raise NotUnderstood("the data set is cut short")
    return Header(
        _uid(dataset, STUDY_INSTANCE_UID, "Study Instance UID"),
        _uid(dataset, SOP_INSTANCE_UID, "SOP Instance UID"),
        _uid(dataset, SOP_CLASS_UID, "SOP Class UID"),
        _text(dataset, MODEL_NAME),
    )


def _read(encoded: BinaryIO, transfer_syntax: UID, walk: "_Walk") -> Dataset:
    try:
        return read_dataset(
            encoded,
            transfer_syntax.is_implicit_VR,
            transfer_syntax.is_little_endian,
            stop_when=walk.stops,
            specific_tags=list(_WANTED),
        )
    except OSError as error:
        # the bytes are in memory: this is pydicom at the end of a sequence that has none
        raise NotUnderstood("the data set is cut short") from error


class _Walk:
    """Pydicom's way along the top-level elements: where the last one begins, and whether it ends."""

    def __init__(self, encoded: BinaryIO) -> None:
        self._encoded = encoded
        self._tag = 0
        self._offset = 0
        self._length = 0

    def stops(self, tag: BaseTag, _vr: str | None, length: int) -> bool:
        """Called by pydicom before each value; true at the pixel data."""
        self._tag, self._offset, self._length = tag, self._encoded.tell(), length
        return tag in _PIXELS

    def is_cut_short(self, size: int, swapped: bool) -> bool:
        """Whether the last element met is not closed, or is followed by part of another."""
        if self._tag in _PIXELS:
            if self._length == _UNDEFINED:
                return not _fragments_end(self._encoded, self._offset, size, swapped)
            return self._offset + self._length > size
        if self._length != _UNDEFINED:
            end = self._offset + self._length
        else:
            # pydicom ends a sequence that is cut short as if it were whole
            end = self._encoded.seek(max(0, self._encoded.tell() - 8)) + 8
            if _tag(self._encoded.read(4), swapped) != _END_OF_SEQUENCE:
                return True
        self._encoded.seek(end)
        return end > size or any(self._encoded.read())


def _fragments_end(encoded: BinaryIO, offset: int, size: int, swapped: bool) -> bool:
    """Step over the fragments of encapsulated pixel data (PS3.5 A.4) to the delimiter behind the last."""
    while offset + 8 <= size:
        encoded.seek(offset)
        tag = _tag(encoded.read(4), swapped)
        if tag == _END_OF_SEQUENCE:
            return True
        if tag != _ITEM:
            raise NotUnderstood("the encapsulated pixel data is not made of items")
        offset += 8 + _number(encoded.read(4), swapped)
    return False


def _tag(raw: bytes, swapped: bool) -> int:
    return _number(raw[:2], swapped) << 16 | _number(raw[2:4], swapped)


def _number(raw: bytes, swapped: bool) -> int:
    return int.from_bytes(raw, "big" if swapped else "little")


def _inflated(encoded: BinaryIO, max_bytes: int) -> BinaryIO:
    """The data set behind Deflated Explicit VR Little Endian (PS3.5 A.5), never more than `max_bytes`."""
    encoded.seek(0)
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    unpacked = BytesIO()
    while not stream.eof:
        packed = stream.unconsumed_tail or encoded.read(_CHUNK_BYTES)
        if not packed:
            raise NotUnderstood("the deflated data set is cut short")
        unpacked.write(stream.decompress(packed, _CHUNK_BYTES))
        if unpacked.tell() > max_bytes:
            raise NotUnderstood("the deflated data set unpacks to more than is allowed")
    return unpacked


def _uid(dataset: Dataset, tag: int, name: str) -> str:
    uid = _text(dataset, tag)
    if not uid:
        raise NotUnderstood(f"no {name}")
    if len(uid) > LONGEST_UID:
        raise NotUnderstood(f"the {name} is {len(uid)} characters long")
    return uid


def _text(dataset: Dataset, tag: int) -> str:
    """The raw value, byte for byte; pydicom would interpret it and complain about what is not valid."""
    if tag not in dataset:
        return ""
    value = dataset.get_item(tag).value
    return value.decode("latin-1").strip("\0 ") if isinstance(value, bytes) else ""
