"""What is remembered of headers that came before changes no answer, whichever single element differs."""

import string
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword

from pipeline import InstanceFacts
from pipeline.header import text
from pipeline.plain import PlainElements
from pipeline.remembered import remembered
from tests.pipeline.files import small_image
from tests.pipeline.test_scan import (
    ASKED,
    PRIVATE,
    as_read,
    assert_same,
    by_library,
    by_scan,
    element,
    elements,
    with_elements,
)

LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
NEXT = bytes.maketrans(
    LETTERS.encode(),
    b"".join(row[1:].encode() + row[:1].encode() for row in (string.digits, string.ascii_uppercase, string.ascii_lowercase)),
)  # fmt: skip
VALUES = {
    "US": b"\x01\0",
    "FD": struct.pack("<d", 812),
    "DS": b"12",
    "IS": b"12",
    "UI": b"1.2.3",
    "DA": b"20240102",
    "TM": b"101112",
    "DT": b"20240102101112",
}
TEXTS = {
    "PhaseContrast": b"YES",
    "LossyImageCompression": b"00",
    "NominalInterval": b"812",
    "HeartRate": b"61",
}
OWNERS = {0x2001: b"Philips Imaging DD 001", 0x0021: b"GEMS_RELA_01", 0x0019: b"GEMS_ACQU_01"}
STRONGER = {
    "ImageType": ["FrameType"],
    "AcquisitionDateTime": ["FrameAcquisitionDateTime"],
    "AcquisitionDate": ["FrameAcquisitionDateTime", "AcquisitionDateTime"],
    "AcquisitionTime": ["FrameAcquisitionDateTime", "AcquisitionDateTime"],
    "PulseSequenceName": ["SequenceName"],
    "RRIntervalTimeNominal": ["NominalInterval"],
    "HeartRate": ["NominalInterval", "RRIntervalTimeNominal"],
    "EffectiveEchoTime": ["EchoTime"],
    "InversionTimes": ["InversionTime"],
    "TemporalPositionIdentifier": ["TemporalPositionIndex"],
    "TemporalPositionTimeOffset": ["TemporalPositionIndex", "TemporalPositionIdentifier"],
}
RARE = ("FrameAcquisitionDateTime", "EffectiveEchoTime", "TemporalPositionTimeOffset")
KEYWORDS = [one for one in (*ASKED, *RARE) if one not in ("ContentSequence", "SpecificCharacterSet")]


def said(keyword: str) -> tuple[int, bytes]:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    vr = dictionary_VR(tag)
    return tag, element(tag, vr, TEXTS.get(keyword, VALUES.get(vr, b"WORD")))


def owned(tag: int) -> tuple[int, bytes]:
    is_owner = tag & 0xFFFF < 0x100
    return tag, element(tag, "LO" if is_owner else "SS", OWNERS[tag >> 16] if is_owner else b"\x07\0")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An image in which every element that is asked for stands, but a sequence."""
    path = tmp_path_factory.mktemp("full") / "full.dcm"
    small_image().save_as(path, enforce_file_format=True)
    plain = path.read_bytes()
    told = dict(map(said, KEYWORDS))
    told |= dict(owned(tag) for tag in PRIVATE)
    meta_end = 144 + int.from_bytes(plain[140:144], "little")
    return with_elements(plain, told | elements(plain[meta_end:]))


def without(image: bytes, tag: int) -> bytes:
    meta_end = 144 + int.from_bytes(image[140:144], "little")
    kept = {one: found for one, found in elements(image[meta_end:]).items() if one != tag}
    return image[:meta_end] + b"".join(kept.values())


def variants(image: bytes, tag: int) -> list[bytes]:
    """The image with another value of the same length, with a value that is short, with none, without it."""
    meta_end = 144 + int.from_bytes(image[140:144], "little")
    whole = elements(image[meta_end:])[tag]
    vr, value = whole[4:6].decode(), whole[8:]
    other = value.translate(NEXT)
    if other == value or vr in ("US", "SS"):
        other = bytes([value[0] ^ 3]) + value[1:]
    changed = [with_elements(image, {tag: element(tag, vr, one)}) for one in (other, b"01", b"")]
    return [*changed, without(image, tag)]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("keyword", KEYWORDS)
def test_one_standard_element_that_differs_is_heard(tmp_path: Path, full: bytes, keyword: str) -> None:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    for stronger in STRONGER.get(keyword, ()):
        full = without(full, tag_for_keyword(stronger) or 0)
    assert_heard(tmp_path, full, tag, at_all=keyword != "NumberOfFrames")


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("tag", PRIVATE)
def test_one_private_element_that_differs_is_heard(tmp_path: Path, full: bytes, tag: int) -> None:
    full = without(full, tag_for_keyword("CardiacNumberOfImages") or 0)
    if tag >> 16 == 0x0021:
        full = without(full, 0x20011018)
    assert_heard(tmp_path, full, tag, at_all=True)


def assert_heard(folder: Path, image: bytes, tag: int, *, at_all: bool) -> None:
    """Between images of its series that are remembered, each variant is read as the library reads it."""
    (usual := folder / "usual.dcm").write_bytes(image)
    expected, answers = repr(by_library(usual)), set()
    for index, variant in enumerate(variants(image, tag)):
        for _ in range(3):
            assert repr(as_read(usual)) == expected
        (path := folder / f"{index}.dcm").write_bytes(variant)
        assert_same(path)
        answers.add(without_offset(by_library(path)))
    assert (answers != {without_offset(by_library(usual))}) == at_all


def without_offset(found: InstanceFacts | str) -> str:
    return found if isinstance(found, str) else repr(replace(found, pixel_offset=0))


def test_a_full_image_is_read_without_the_library(tmp_path: Path, full: bytes) -> None:
    (path := tmp_path / "full.dcm").write_bytes(full)
    assert isinstance(found := by_scan(path), InstanceFacts)
    assert found.frames


def test_only_the_elements_that_were_named_are_shown() -> None:
    patient, series = 0x00100020, 0x0008103E
    read = remembered(lambda header: (text(header, patient), text(header, series)), ["PatientID"])
    header: PlainElements = {patient: b"LO\x02\0P1", series: b"LO\x02\0ab"}
    assert read(header) == ("P1", "")
    assert read({**header, patient: b"LO\xc8\0" + b"x" * 200}) == ("x" * 128, "")


@pytest.mark.parametrize("length", [2, 400])
def test_short_elements_alone_are_remembered(length: int) -> None:
    asked: list[int] = []
    read = remembered(lambda header: asked.append(len(header)), ["PatientID"])
    for _ in range(3):
        read({0x00100020: b"LO" + struct.pack("<H", length) + b"x" * length})
    assert len(asked) == (1 if length == 2 else 3)
