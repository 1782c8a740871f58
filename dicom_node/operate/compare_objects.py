"""Objects made twice, or kept twice, compared: which differ, and in what."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from pydicom import dcmread

from dicom_node.analysis.results import ResultFile
from dicom_node.operate.differences import ABSENT, Difference, differences
from dicom_node.store.records import Result
from pipeline import UnreadableInstance
from pipeline.header import UNREADABLE
from pipeline.reading import Header, brief, read_header
from reports import as_sr_class

WHOLE = "(file)"
"""The path of a difference that is not one attribute's."""


@dataclass(frozen=True, slots=True)
class ObjectDifference:
    """One object that did not come out the same; `sop_instance_uid` is the recorded one's if there is one."""

    kind: str
    sop_instance_uid: str
    differences: tuple[Difference, ...]


def compare_runs(
    recorded: Sequence[Result], again: Sequence[ResultFile], folders: tuple[Path, Path]
) -> Iterator[ObjectDifference]:
    """The objects whose bytes differ, kind by kind in the order they were made.

    `folders` are those that the paths of `recorded` and of `again` are relative to.
    """
    kinds = dict.fromkeys([*(one.kind for one in recorded), *(one.kind for one in again)])
    for kind in kinds:
        ours = [one for one in recorded if one.kind == kind]
        theirs = [one for one in again if one.kind == kind]
        for old, new in zip_longest(ours, theirs):
            if old is None:
                more = Difference(WHOLE, ABSENT, new.sop_instance_uid)
                yield ObjectDifference(kind, new.sop_instance_uid, (more,))
            elif new is None:
                less = Difference(WHOLE, old.sop_instance_uid, ABSENT)
                yield ObjectDifference(kind, old.sop_instance_uid, (less,))
            elif old.digest != new.sha256:
                files = folders[0] / old.path, folders[1] / new.path
                yield ObjectDifference(kind, old.sop_instance_uid, tuple(_between(*files)))


def _between(recorded: Path, again: Path) -> Iterable[Difference]:
    try:
        return list(differences(dcmread(recorded), dcmread(again)))
    except UNREADABLE as error:
        return [Difference(WHOLE, f"cannot be read: {brief(error)}", "was made again")]


def compare_with_file(recorded: Path, given: Path, sent_sop_class_uid: str) -> list[Difference]:
    """What differs between our object, as the class it was sent as, and the file that somebody gave us.

    File meta information is whoever wrote the file's, and does not count.
    """
    try:
        ours, theirs = read_header(recorded), read_header(given)
        written = as_sr_class(ours.dataset, sent_sop_class_uid) if sent_sop_class_uid else ours.dataset
        return [*differences(written, theirs.dataset), *_pixels((recorded, ours), (given, theirs))]
    except UnreadableInstance as error:
        return [Difference(WHOLE, str(recorded), str(error))]
    except UNREADABLE as error:
        return [Difference(WHOLE, str(recorded), f"cannot be compared: {brief(error)}")]


def _pixels(ours: tuple[Path, Header], theirs: tuple[Path, Header]) -> Iterable[Difference]:
    if theirs[1].encapsulated:
        yield Difference("PixelData", "as we wrote it", "compressed since, and not compared")
    elif _pixel_bytes(*ours) != _pixel_bytes(*theirs):
        yield Difference("PixelData", "as we wrote it", "other bytes")


def _pixel_bytes(path: Path, header: Header) -> bytes:
    with path.open("rb") as file:
        file.seek(header.pixel_offset)
        return file.read(header.pixel_length)
