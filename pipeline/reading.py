"""Opening a file that somebody else wrote: bounded, and never raising but one error."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydicom import config, dcmread
from pydicom.dataset import Dataset
from pydicom.filereader import read_file_meta_info
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from pipeline.errors import UnreadableInstance
from pipeline.header import UNREADABLE

# Real data breaks the value rules of PS3.5 6.2 (UIDs with leading zeros); we copy it verbatim all the same.
config.settings.reading_validation_mode = config.IGNORE

_LARGEST_DATASET = 2**30  # bytes that a deflated dataset may inflate to
_CHUNK = 2**20
_UNDEFINED = 0xFFFFFFFF
_PIXEL_DATA = (0x7FE0, 0x0010)
_LONG_VRS = (b"OB", b"OW", b"UN")


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """A dataset without its pixels, and where in the file those lie.

    `pixel_offset` is where the value of Pixel Data begins and `pixel_length` its bytes; encapsulated pixels
    reach to the end of the file. Both are 0 where there are none or the dataset is deflated.
    """

    dataset: Dataset
    pixel_offset: int
    pixel_length: int
    encapsulated: bool
    file_size: int

    @property
    def meta(self) -> Dataset:
        """The file meta information; empty if there is none."""
        meta = getattr(self.dataset, "file_meta", None)
        return Dataset() if meta is None else meta

    @property
    def transfer_syntax(self) -> str:
        """What the file meta information states; empty if it states nothing."""
        return str(transfer_syntax(self.dataset))

    @property
    def deflated(self) -> bool:
        """Whether all of the dataset is compressed (PS3.5 A.5).

        Raises:
            ValueError: that is no transfer syntax.
        """
        return transfer_syntax(self.dataset).is_deflated


def read_header(path: Path) -> Header:
    """Everything but the pixels of a Part 10 file (PS3.10 7).

    Raises:
        UnreadableInstance: not DICOM, cut off before the pixels, nested too deeply, or too large.
    """
    try:
        size = path.stat().st_size
        refuse_bombs(path)
        with path.open("rb") as file:
            dataset = dcmread(file, stop_before_pixels=True)
            offset, length, encapsulated = _pixels_at(file, dataset, size)
    except UnreadableInstance:
        raise
    except RecursionError as error:
        raise UnreadableInstance("the file nests sequences too deeply to be read") from error
    except UNREADABLE as error:
        raise UnreadableInstance(f"the file is not readable DICOM: {brief(error)}") from error
    return Header(dataset, offset, length, encapsulated, size)


def refuse_bombs(path: Path) -> None:
    """Make sure that a deflated dataset stays within reason before anybody inflates it (PS3.5 A.5).

    Raises:
        UnreadableInstance: it would inflate to more than a gibibyte.
        any of `UNREADABLE`: there is no file meta information.
    """
    meta = read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return
    with path.open("rb") as file:
        file.seek(132 + 12 + int(meta.FileMetaInformationGroupLength))
        inflater, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
        waiting = file.read(_CHUNK)
        while waiting:
            total += len(inflater.decompress(waiting, _CHUNK * 16))
            if total > _LARGEST_DATASET:
                raise UnreadableInstance(f"the dataset inflates to more than {_LARGEST_DATASET} bytes")
            waiting = inflater.unconsumed_tail or file.read(_CHUNK)


def transfer_syntax(dataset: Dataset) -> UID:
    """What the file meta information states; empty if it states nothing."""
    meta = getattr(dataset, "file_meta", None)
    return UID(str(meta.get("TransferSyntaxUID", "")) if meta is not None else "")


def brief(error: BaseException) -> str:
    """The first sentence of an error of another library, short enough for a table."""
    words = " ".join(str(error).split())
    return words[:160] if words else type(error).__name__


def _pixels_at(file: BinaryIO, dataset: Dataset, size: int) -> tuple[int, int, bool]:
    """Offset, length and whether encapsulated, of the element the reader stopped before."""
    syntax = transfer_syntax(dataset)
    if syntax == DeflatedExplicitVRLittleEndian:
        return 0, 0, False
    order = ">" if syntax.is_transfer_syntax and not syntax.is_little_endian else "<"
    head = file.read(12)
    if len(head) < 8 or struct.unpack(f"{order}HH", head[:4]) != _PIXEL_DATA:
        return 0, 0, False
    if head[4:6] in _LONG_VRS and len(head) == 12:
        (length,) = struct.unpack(f"{order}I", head[8:12])
        offset = file.tell()
    else:
        (length,) = struct.unpack(f"{order}I", head[4:8])
        offset = file.tell() - len(head) + 8
    if length == _UNDEFINED:
        return offset, size - offset, True
    return offset, length, False
