"""What a file says about itself, small enough to keep in a database row."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pydicom.uid import (
    EnhancedMRImageStorage,
    LegacyConvertedEnhancedMRImageStorage,
    MRImageStorage,
)

from pipeline.declared import declared_images, declared_phases, declared_slices
from pipeline.description import LONGEST_UID as LONGEST_UID
from pipeline.description import Description, describe, uid
from pipeline.errors import UnreadableInstance
from pipeline.frames import FrameFacts, frame_count, read_frame, read_frames
from pipeline.header import UNREADABLE, Elements, text, whole
from pipeline.plain import NotPlain
from pipeline.reading import Header, brief, read_header
from pipeline.scan import Beginning, PlainHeader, scan_file

MULTI_FRAME = frozenset({EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage})
ANALYSED = MULTI_FRAME | {MRImageStorage}

_LARGEST_SIDE = 8192
_MOST_PIXELS = 2**28  # per file: 512 MiB of 16-bit pixels
_LOSSY = (
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.91",
)


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """One file's header, as far as completeness and stacking need it.

    Attributes:
        declared_phases: phases per slice, by Cardiac Number of Images (0018,1090) or Philips (2001,1017).
        declared_slices: slices in the stack, by GE (0021,104F) or Philips (2001,1018).
        declared_images: Images in Acquisition (0020,1002); often wrong, so it is only evidence.
        pixel_offset: where the value of Pixel Data begins in the file; 0 in a deflated file.
        pixel_length: its bytes; encapsulated pixels reach to the end of the file.
        photometric, bits_allocated, bits_stored, signed: how pixels are stored (PS3.3 C.7.6.3.1); None where
            that is not said, or where an older version of this program read the file.
        lossy: whether the pixels ever went through a lossy compression.
        frames: the planes in the file; empty where there is nothing to analyse.
        unusable: why some or all of the file cannot be analysed, one sentence; empty if all can.
    """

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    modality: str = ""
    patient_id: str = ""
    manufacturer: str = ""
    model_name: str = ""
    series_number: int | None = None
    series_description: str = ""
    protocol_name: str = ""
    sequence_name: str = ""
    source_ae_title: str = ""
    frame_of_reference_uid: str = ""
    instance_number: int | None = None
    rows: int = 0
    columns: int = 0
    declared_phases: int | None = None
    declared_slices: int | None = None
    declared_images: int | None = None
    pixel_offset: int = 0
    pixel_length: int = 0
    photometric: str = ""
    bits_allocated: int | None = None
    bits_stored: int | None = None
    signed: bool | None = None
    lossy: bool = False
    frames: tuple[FrameFacts, ...] = ()
    unusable: str = ""

    def as_json(self) -> dict[str, Any]:
        """Numbers, strings and lists only."""
        values = {name: getattr(self, name) for name in _NAMES}
        return values | {"frames": tuple(frame.as_json() for frame in self.frames)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "InstanceFacts":
        """The inverse of `as_json`, also after a round trip through a database."""
        frames = tuple(FrameFacts.from_json(frame) for frame in values["frames"])
        return cls(**{**values, "frames": frames})

    @property
    def multi_frame(self) -> bool:
        """Whether references to this file must name a frame (PS3.3 Table 10-3)."""
        return self.sop_class_uid in MULTI_FRAME


_NAMES = tuple(field.name for field in fields(InstanceFacts))


def read_facts(path: Path, plain: PlainHeader | None = None) -> InstanceFacts:
    """The facts of one Part 10 file, of which `read_plain` may have been asked already.

    Raises:
        UnreadableInstance: it is not DICOM, or lacks the UIDs that say which study it belongs to.
    """
    header = plain or read_plain(path)
    if header is not None:
        try:
            return facts_of(header)
        except NotPlain:
            pass
    return facts_of(read_header(path))


def read_plain(path: Path, beginning: Beginning | None = None) -> PlainHeader | None:
    """The header of a file, of which the `beginning` may have been read already; None if it is not plain."""
    try:
        return scan_file(path, beginning)
    except OSError:
        return None  # the library shall say why


def facts_of(header: Header | PlainHeader) -> InstanceFacts:
    """The facts of a header that was already read.

    Raises:
        UnreadableInstance: as `read_facts`.
        NotPlain: a plain header does not tell all of them; the library's would.
    """
    try:
        return _facts(header)
    except RecursionError as error:
        raise UnreadableInstance("the file nests sequences too deeply to be read") from error
    except UNREADABLE as error:
        raise UnreadableInstance(f"the header is not readable DICOM: {brief(error)}") from error


def _facts(header: Header | PlainHeader) -> InstanceFacts:
    dataset, said = header.dataset, describe(header.dataset)
    frames, unusable = _usable_frames(header, said)
    sop_instance_uid = uid(dataset, "SOPInstanceUID")
    _check_uids(said, sop_instance_uid)
    syntax = header.transfer_syntax
    return InstanceFacts(
        **said.facts,
        sop_instance_uid=sop_instance_uid,
        transfer_syntax_uid=syntax,
        source_ae_title=text(header.meta, "SourceApplicationEntityTitle", 16),
        frame_of_reference_uid=text(dataset, "FrameOfReferenceUID", LONGEST_UID),
        instance_number=whole(dataset, "InstanceNumber"),
        declared_phases=declared_phases(dataset),
        declared_slices=declared_slices(dataset),
        declared_images=declared_images(dataset),
        pixel_offset=header.pixel_offset,
        pixel_length=header.pixel_length,
        lossy=syntax in _LOSSY or said.lossy,
        frames=frames,
        unusable=unusable,
    )


def _check_uids(said: Description, sop_instance_uid: str) -> None:
    """They are kept verbatim, for our report must name them as the archive does."""
    for keyword, value in (
        ("StudyInstanceUID", said.facts["study_instance_uid"]),
        ("SeriesInstanceUID", said.facts["series_instance_uid"]),
        ("SOPInstanceUID", sop_instance_uid),
        ("SOPClassUID", said.facts["sop_class_uid"]),
    ):
        if not value:
            raise UnreadableInstance(f"the file has no {keyword}")
        if len(value) > LONGEST_UID:
            raise UnreadableInstance(f"the {keyword} is longer than {LONGEST_UID} characters")


def _usable_frames(header: Header | PlainHeader, said: Description) -> tuple[tuple[FrameFacts, ...], str]:
    dataset, sop_class = header.dataset, said.facts["sop_class_uid"]
    if sop_class not in ANALYSED:
        return (), f"objects of class {sop_class[:128]} are not analysed"
    if said.samples != 1:
        return (), "colour images are not analysed"
    count = frame_count(dataset) if sop_class in MULTI_FRAME else 1
    rows, columns = said.facts["rows"], said.facts["columns"]
    problem = _size_problem(rows, columns, count) or _pixel_problem(
        header, rows * columns * count * (said.facts["bits_allocated"] or 0)
    )
    if problem:
        return (), problem
    frames = _frames(dataset, count, sop_class)
    lost = count - len(frames)
    return frames, f"{lost} of {count} planes have no position, orientation or pixel spacing" if lost else ""


def _frames(dataset: Elements, count: int, sop_class: str) -> tuple[FrameFacts, ...]:
    if sop_class not in MULTI_FRAME:
        frame = read_frame(dataset)
        return (frame,) if frame else ()
    if isinstance(dataset, dict):
        raise NotPlain
    return read_frames(dataset, count)


def _size_problem(rows: int, columns: int, count: int) -> str:
    if count < 1:
        return "the number of frames is missing or not a number"
    if not (0 < rows <= _LARGEST_SIDE and 0 < columns <= _LARGEST_SIDE):
        return f"{rows} x {columns} is not a size an image can have"
    if rows * columns * count > _MOST_PIXELS:
        return f"{count} frames of {rows} x {columns} pixels are more than one file may hold"
    return ""


def _pixel_problem(header: Header | PlainHeader, bits: int) -> str:
    """Whether the pixel data can hold what the header promises."""
    if header.deflated:
        return ""
    if header.pixel_offset == 0:
        return "the file has no pixel data"
    if header.pixel_offset + header.pixel_length > header.file_size:
        return "the file is cut off within its pixel data"
    needed = (bits + 7) // 8
    if not header.encapsulated and not needed <= header.pixel_length <= needed + 1:
        return f"the pixel data holds {header.pixel_length} bytes where the header promises {needed}"
    return ""
