"""What a JPEG or JPEG 2000 codestream says of itself, looked at before a decoder is trusted with it."""

import struct
from typing import Final

from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.uid import JPEG2000, JPEG2000Lossless, JPEGLSTransferSyntaxes, JPEGTransferSyntaxes

from pipeline.header import whole
from pipeline.reading import transfer_syntax

_START: Final = b"\xff\x4f\xff\x51"  # SOC and SIZ, in this order (ISO/IEC 15444-1 A.4.1, A.5.1)
_SIZE: Final = struct.Struct(">HHIIIIIIIIH")
_LONGEST_WRAPPING: Final = 1024
"""Some wrap the codestream in a file format, against PS3.5 A.4.4."""
_SEGMENT: Final = struct.Struct(">BBH")
_FRAME: Final = struct.Struct(">BHHB")
_FRAMES: Final = frozenset((*range(0xC0, 0xD0), 0xF7)) - {0xC4, 0xC8, 0xCC}
"""SOF markers (ISO/IEC 10918-1 B.1.1.3, 14495-1 C.1.1)."""

_Said = tuple[int, int, int]
"""Rows, columns, components."""


def refuse_contradiction(dataset: Dataset, index: int) -> None:
    """Make sure that frame `index` (from 0) has the size and the one component its header promises.

    GDCM ends the process, not the call, over a codestream that holds something else than the header says.

    Raises:
        ValueError: it does, or there is no codestream; also what pydicom raises where there is no such frame.
    """
    syntax = transfer_syntax(dataset)
    if syntax in (JPEG2000, JPEG2000Lossless):
        look = _said_by_jpeg_2000
    elif syntax in (*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes):
        look = _said_by_jpeg
    else:
        return
    coded = get_frame(dataset.PixelData, index, number_of_frames=whole(dataset, "NumberOfFrames") or 1)
    rows, columns, components = look(coded)
    if (rows, columns) != (whole(dataset, "Rows"), whole(dataset, "Columns")):
        raise ValueError(f"the codestream holds {rows} x {columns} pixels")
    if components != 1:
        raise ValueError(f"the codestream has {components} components")


def _said_by_jpeg_2000(coded: bytes) -> _Said:
    start = coded.find(_START, 0, _LONGEST_WRAPPING)
    if start < 0 or len(coded) < start + len(_START) + _SIZE.size:
        raise ValueError("no JPEG 2000 codestream")
    _, _, right, bottom, left, top, *_, components = _SIZE.unpack_from(coded, start + len(_START))
    return bottom - top, right - left, components


def _said_by_jpeg(coded: bytes) -> _Said:
    """The first frame header, found by stepping from segment to segment."""
    at = 2
    while at + _SEGMENT.size + _FRAME.size <= len(coded):
        mark, kind, length = _SEGMENT.unpack_from(coded, at)
        if mark != 0xFF:
            break
        if kind in _FRAMES:
            _, rows, columns, components = _FRAME.unpack_from(coded, at + _SEGMENT.size)
            return rows, columns, components
        at += 1 if kind == 0xFF else 2 + length
    raise ValueError("no JPEG codestream")
