"""Whole studies without their patient: nothing of the old identity is left, and the volume is the same."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.tag import Tag

from dicom_node.archive.part10 import IMPLEMENTATION_CLASS_UID
from dicom_node.deidentify.file import export_file
from dicom_node.deidentify.pseudonyms import Pseudonyms
from pipeline import CineVolume, Completeness, assemble, find_stack, judge, read_study
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from tests.peers.validators import dciodvfy

PSEUDONYMS = Pseudonyms(b"a key of thirty-two bytes, or so.", "somebody")
PIXEL_DATA = b"\xe0\x7f\x10\x00ow\x00\x00"
REGISTERED = "1.2.840.10008."
NAMING = [
    "PatientID",
    "OtherPatientIDs",
    "AccessionNumber",
    "StudyID",
    "InstitutionName",
    "InstitutionAddress",
    "StationName",
    "DeviceSerialNumber",
    "PerformedProcedureStepID",
]
SCAN = Scan(slices=4, phases=9, matrix=(48, 40), spacing_mm=4.0)

Exported = Callable[[list[Path]], list[Path]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    def export(files: list[Path]) -> list[Path]:
        folder = tmp_path_factory.mktemp("exported")
        targets = [folder / f"{number:05d}.dcm" for number in range(len(files))]
        for source, target in zip(files, targets, strict=True):
            export_file(source, target, PSEUDONYMS)
        return targets

    return export


def identities(header: Dataset) -> Iterator[str]:
    """UIDs, days, names and IDs of a file, at every depth, private attributes included."""
    for element in [*header.iterall(), *header.file_meta]:
        values = element.value if element.VM > 1 else [element.value]
        for value in map(str, values if element.VR != "SQ" else []):
            if element.VR == "UI" and not value.startswith(REGISTERED):
                yield value
            elif element.VR in ("DA", "DT") or element.VR == "PN" or element.keyword in NAMING:
                yield value[:8] if element.VR in ("DA", "DT") else value


def telling(path: Path) -> set[str]:
    """Those of a file that are long enough to tell anything."""
    found = {one.strip().lower() for one in identities(dcmread(path, stop_before_pixels=True))}
    return {one for one in found if len(one) >= 4 and one.strip("0") and one != IMPLEMENTATION_CLASS_UID}


def assert_nothing_left(files: list[Path], targets: list[Path]) -> None:
    """Of a file's identities none is in its bytes, and of all files' none in any header."""
    own = [telling(path) for path in files]
    every = [word.encode() for word in set().union(*own)]
    assert len(every) > len(files)
    for words, target in zip(own, targets, strict=True):
        content = target.read_bytes().lower()
        header = content[: content.index(PIXEL_DATA)]
        assert [word for word in every if word in header] == []
        encoded = [word.encode(code) for word in words for code in ("latin-1", "utf-16-le", "utf-16-be")]
        assert [word for word in encoded if word in content] == []


def read_back(files: list[Path]) -> tuple[CineVolume, Completeness]:
    study = read_study(files)
    stack = find_stack(study.facts)
    return assemble(study, stack, allow_missing=True), judge(stack)


def assert_same_volume(files: list[Path], targets: list[Path]) -> None:
    """Voxels, places, times, and the verdict on completeness."""
    (before, verdict), (after, later) = read_back(files), read_back(targets)
    assert before.digest == after.digest
    assert (before.notes, before.filled) == (after.notes, after.filled)
    assert replace(verdict, evidence=(), sentence="") == replace(later, evidence=(), sentence="")


def assert_no_new_errors(files: list[Path], targets: list[Path]) -> None:
    """By dicom3tools, of the first and the last file."""
    for index in (0, -1):
        assert set(dciodvfy(targets[index])) - set(dciodvfy(files[index])) == set()


def assert_references_agree(files: list[Path], targets: list[Path]) -> None:
    """Every UID was replaced by the same one wherever it stood, and no two by one; hardly a private number stays.

    Of every third file.
    """
    pairs, private = set(), set()
    for source, target in zip(files[::3], targets[::3], strict=True):
        old, new = (dcmread(path, stop_before_pixels=True) for path in (source, target))
        for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
            pairs.add((str(old[keyword].value), str(new[keyword].value)))
        pairs |= set(zip(_references(old), _references(new), strict=True))
        private |= {element.tag for element in new if element.tag.is_private}
    assert len(pairs) == len({old for old, _ in pairs}) == len({new for _, new in pairs})
    assert {new[:5] for _, new in pairs} == {"2.25."}
    assert private <= {Tag(0x00190010), Tag(0x001910D7), Tag(0x00210010), Tag(0x0021104F)}


def _references(header: Dataset) -> list[str]:
    sequences = header.get("ReferencedImageSequence", []), header.get("SourceImageSequence", [])
    return [str(item.ReferencedSOPInstanceUID) for sequence in sequences for item in sequence]


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Layout], list[Path]]:
    rendered = render(draw_heart(7, scar=True), SCAN)
    return cache(lambda layout: write_dicom(rendered, tmp_path_factory.mktemp(layout.name), layout))


@pytest.mark.peers("dciodvfy")
@pytest.mark.parametrize("layout", list(Layout))
def test_a_simulated_study_of_every_layout_keeps_its_volume_and_loses_its_patient(
    layout: Layout, phantom: Callable[[Layout], list[Path]], exported: Exported
) -> None:
    files = phantom(layout)
    targets = exported(files)
    assert_same_volume(files, targets)
    assert_nothing_left(files, targets)
    assert_no_new_errors(files, targets)


@pytest.mark.data
@pytest.mark.peers("dciodvfy")
@pytest.mark.parametrize("patient", ["SC-HF-I-4", "SC-HF-I-1", "bivme"])
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")  # the studies' own are invalid
def test_a_real_study_keeps_its_volume_and_loses_its_patient(
    patient: str, sunnybrook: Callable[[str], list[Path]], bivme: list[Path], exported: Exported
) -> None:
    files = bivme if patient == "bivme" else sunnybrook(patient)
    targets = exported(files)
    assert_same_volume(files, targets)
    assert_nothing_left(files, targets)
    assert_no_new_errors(files, targets)
    assert_references_agree(files, targets)
