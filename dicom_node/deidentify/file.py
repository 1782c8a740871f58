"""One image of the archive, decoded and written anew without its patient."""

import filecmp
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import ExplicitVRLittleEndian

from dicom_node.archive.part10 import Origin, part10_head
from dicom_node.deidentify.dataset import deidentified
from dicom_node.deidentify.elements import Elements, element_head, encoded, short, tag_of
from dicom_node.deidentify.pseudonyms import Pseudonyms
from dicom_node.errors import NotExported
from pipeline import InstanceFacts, PipelineError
from pipeline.facts import ANALYSED, facts_of
from pipeline.header import UNREADABLE, text, texts, whole
from pipeline.reading import brief, read_header

_SCREENS = frozenset({"SCREEN SAVE", "SCREENSAVE", "SCREEN", "REPORT", "SECONDARY CAPTURE"})
_PIXEL_DATA = 0x7FE00010


def export_file(source: Path, target: Path | None, pseudonyms: Pseudonyms) -> bool:
    """Write `source` to `target` de-identified, Explicit VR Little Endian, every pixel as it was.

    Pixels are decoded and written again, so that nothing travels in the comments of a compressed image, in
    bits that hold no pixel, or behind the last one. Equal files and key give equal bytes. Without a target
    all is done but the writing.

    Returns:
        whether the image itself says that no name is burned into its pixels.

    Raises:
        NotExported: it cannot be read, may show a name, or `target` is there with other content.
    """
    try:
        header = read_header(source)
        _refuse(facts_of(header), header.dataset)
        clean = deidentified(header.dataset, pseudonyms)
        _write(_parts(dcmread(source), clean), target)
        return _text(clean, "BurnedInAnnotation") == "NO"
    except (*UNREADABLE, PipelineError, StopIteration) as error:
        raise NotExported(f"it cannot be read: {brief(error)}") from error


def _refuse(facts: InstanceFacts, dataset: Dataset) -> None:
    if facts.sop_class_uid not in ANALYSED:
        raise NotExported("it is no MR image, and may say anything of a patient")
    if text(dataset, "BurnedInAnnotation").upper() == "YES":
        raise NotExported("it has burned-in annotation: its pixels may show a name")
    if _SCREENS & {one.upper() for one in texts(dataset, "ImageType")}:
        raise NotExported("it shows a screen: its pixels may show a name")


def _parts(dataset: Dataset, clean: Elements) -> Iterator[bytes]:
    """The file, plane by plane, so that one is in memory beside what was read."""
    count, stored = whole(dataset, "NumberOfFrames") or 1, whole(dataset, "BitsStored") or 0
    planes = iter_pixels(dataset, raw=True, indices=range(count))  # clears bits beyond Bits Stored
    first = next(planes)
    if first.ndim != 2 or first.dtype.kind not in "iu" or stored < 1:
        raise NotExported("its pixels are not those of a grey image")
    size = first.nbytes * count
    yield _head(_describe(clean, first, stored), size)
    for plane in chain([first], planes):
        if (plane.shape, plane.dtype) != (first.shape, first.dtype):
            raise NotExported("its frames differ in size")
        yield _bytes(plane)
    yield bytes(size % 2)


def _describe(clean: Elements, plane: NDArray[np.generic], stored: int) -> Elements:
    bits = plane.dtype.itemsize * 8
    words = {
        "Rows": plane.shape[0],
        "Columns": plane.shape[1],
        "BitsAllocated": bits,
        "BitsStored": min(stored, bits),
        "HighBit": min(stored, bits) - 1,
        "PixelRepresentation": int(plane.dtype.kind == "i"),
    }
    return clean | {tag_of(keyword): short(number) for keyword, number in words.items()}


def _head(clean: Elements, size: int) -> bytes:
    """Everything in front of the pixels."""
    sop_class, instance = (_text(clean, keyword) for keyword in ("SOPClassUID", "SOPInstanceUID"))
    origin = Origin(sop_class, instance, ExplicitVRLittleEndian, "")
    return part10_head(origin) + encoded(clean) + element_head(_PIXEL_DATA, "OW", size + size % 2)


def _text(clean: Elements, keyword: str) -> str:
    return clean.get(tag_of(keyword), ("", b""))[1].decode("ascii").strip("\0 ")


def _bytes(plane: NDArray[np.generic]) -> bytes:
    return plane.astype(plane.dtype.newbyteorder("<")).tobytes()


def _write(parts: Iterator[bytes], target: Path | None) -> None:
    if target is None:
        for _ in parts:
            continue
        return
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            for part in parts:
                file.write(part)
        if target.exists() and not filecmp.cmp(unfinished, target, shallow=False):
            raise NotExported(f"{target} holds something else; export into an empty folder")
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
