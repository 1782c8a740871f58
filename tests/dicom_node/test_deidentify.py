"""One image without its patient: whatever a header says, and wherever it says it."""

import struct
from collections.abc import Callable
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEGLSLossless,
    MRImageStorage,
)

from dicom_node.archive.part10 import Origin, part10_head
from dicom_node.deidentify.elements import Elements, ascii_text, encoded, sequence
from dicom_node.deidentify.file import export_file
from dicom_node.deidentify.kept import KEPT
from dicom_node.deidentify.pseudonyms import Pseudonyms
from dicom_node.deidentify.words import of_the_trade
from dicom_node.errors import NotExported
from tests.pipeline.files import small_image
from tests.pipeline.reencode import LOSSLESS, reencode

KEY = bytes(range(32))
SOMEONE = Pseudonyms(KEY, "someone")
NAME, ID, ELSEWHERE = "ZWINKELMANN", "QX-4711-88", "YPSILANTI"

Export = Callable[..., Dataset]


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """Write a dataset, export it, and read what came out."""

    def exported(dataset: Dataset, pseudonyms: Pseudonyms = SOMEONE) -> Dataset:
        source, target = tmp_path / "source.dcm", tmp_path / "target.dcm"
        dataset.save_as(source, enforce_file_format=True)
        target.unlink(missing_ok=True)
        export_file(source, target, pseudonyms)
        return dcmread(target)

    return exported


# The list

BY_OPTION = """
    PatientSex PatientAge PatientSize PatientWeight SeriesDescription ProtocolName StudyDate SeriesDate
    AcquisitionDate ContentDate StudyTime SeriesTime AcquisitionTime ContentTime AcquisitionDateTime
    FrameAcquisitionDateTime FrameReferenceDateTime
"""
"""What 113105, 113107 and 113108 of CID 7050 let stay in some form."""


def table() -> dict[int, str]:
    """Tag → action of the basic profile, PS3.15 Table E.1-1, edition 2026c."""
    edition = import_module("dicomanonymizer.dicom_anonymization_databases.dicomfields_2026c")
    lists = [name for name in vars(edition) if name.endswith("_TAGS") and name != "ALL_TAGS"]
    tags = [(tag, name) for name in lists for tag in getattr(edition, name) if len(tag) == 2]
    return {group << 16 | element: name for (group, element), name in tags}


def test_nothing_stays_that_the_profile_removes_but_by_a_stated_option() -> None:
    removed = table()
    assert len(removed) > 600
    both = KEPT & set(removed)
    uids = {tag for tag in both if removed[tag] == "U_TAGS"}
    references = {tag for tag in both if removed[tag] == "X_Z_U_STAR_TAGS"}
    assert both - uids - references == set(map(tag_for_keyword, BY_OPTION.split()))


def test_an_export_says_that_and_how_it_was_done(export: Export) -> None:
    dataset = small_image()
    dataset.PatientIdentityRemoved = "NO"
    done = export(dataset)
    assert (done.PatientIdentityRemoved, done.LongitudinalTemporalInformationModified) == ("YES", "MODIFIED")
    codes = [item.CodeValue for item in done.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113107", "113108", "113111"]
    assert done.PatientName == done.PatientID == SOMEONE.patient
    assert (done.PatientBirthDate, done.AccessionNumber, done.ReferringPhysicianName) == ("", "", "")
    assert done.preamble == bytes(128)


# Whatever a header says

TECHNICAL = {"SH": [0x00180024, 0x00181250, 0x00209056], "LO": [0x00080070, 0x00081090, 0x00080104]}
CODES = [0x00080008, 0x00180022, 0x00180015, 0x00280301]
TEXTS = {
    "LO": [0x0008103E, 0x00181030, 0x00081030, 0x00100020, 0x00080080, 0x00090010, 0x00190010, 0x20010010],
    "SH": [0x00081010, 0x00080050, 0x00200010, 0x00180010, 0x00181400],
    "LT": [0x00104000, 0x00204000],
    "UT": [0x0040A160, 0x00081302],
    "PN": [0x00080090, 0x0040A123, 0x00081050],
    "DS": [0x00180050, 0x00181060, 0x00101030],
    "IS": [0x00200011, 0x00181090, 0x20011008],
    "UI": [0x0020000E, 0x00200052, 0x00081155, 0x00080014],
    "DA": [0x00080020, 0x00080022, 0x00100030],
    "DT": [0x0008002A, 0x00189074],
    "TM": [0x00080030, 0x00080032],
    "AS": [0x00101010],
    "UN": [0x00091001, 0x001910D7, 0x00180099, 0x50000010, 0x60003000, 0x00181000, 0xFFFCFFFC],
    "OB": [0x00420011, 0x60000022, 0x00282000],
}
SEQUENCES = (
    0x00081140, 0x00082112, 0x52009229, 0x52009230, 0x00209111, 0x00400275, 0x0040A730, 0x00091002, 0x00101002,
)  # fmt: skip


def leaves(words: st.SearchStrategy[str], tags: dict[str, list[int]]) -> st.SearchStrategy[Any]:
    places = [(tag, vr) for vr, listed in tags.items() for tag in listed]
    values = words.map(lambda word: word.encode().ljust(len(word) + len(word) % 2))
    return st.tuples(st.sampled_from(places), values).map(lambda one: (one[0][0], (one[0][1], one[1])))


FORMS = st.sampled_from(["{}", "cine {}", "{}^A^B", "1.2.{}", "{}\\5", "\\{}", "sax_{}_4ch"])
KNOWN = st.builds(str.format, FORMS, st.sampled_from([NAME, NAME.lower(), NAME.title(), ID]))
UNKNOWN = st.builds(str.format, FORMS, st.just(ELSEWHERE))
LEAF = leaves(KNOWN, TEXTS | {"CS": CODES} | TECHNICAL) | leaves(UNKNOWN, TEXTS)
LEVEL = st.lists(LEAF, max_size=6).map(dict)


def nested(items: st.SearchStrategy[Elements]) -> st.SearchStrategy[Elements]:
    inner = st.tuples(st.sampled_from(SEQUENCES), st.lists(items, max_size=2).map(sequence))
    return st.builds(lambda level, below: level | dict(below), LEVEL, st.lists(inner, max_size=3))


def image(extra: Elements) -> bytes:
    """A Part 10 file of a small image whose patient has NAME and ID, with `extra` in its header."""
    elements = {
        int(element.tag): (element.VR, struct.pack(f"<{element.VM}H", *np.atleast_1d(element.value)))
        if element.VR == "US"
        else ascii_text(element.VR, "\\".join(map(str, np.atleast_1d(element.value))))
        for element in small_image()
        if element.keyword != "PixelData"
    }
    needed = {tag: elements[tag] for tag in elements if tag >> 16 == 0x28}
    identity = {0x00100010: ascii_text("PN", f"{NAME}^EVA"), 0x00100020: ascii_text("LO", ID)}
    header = elements | extra | needed | identity | {0x00080016: elements[0x00080016]}
    origin = Origin(MRImageStorage, NAME, ExplicitVRLittleEndian, NAME[:8])
    pixels = np.arange(24, dtype="<u2").tobytes()
    behind = {tag: header.pop(tag) for tag in list(header) if tag > 0x7FE00010}
    return part10_head(origin) + encoded(header | {0x7FE00010: ("OW", pixels)}) + encoded(behind)


def hidden_in(content: bytes) -> list[str]:
    """Which of the planted words are in the bytes, in any case and encoding."""
    lower = content.lower()
    words = [word.lower() for word in (NAME, ID, ELSEWHERE)]
    return [
        word for word in words for code in ("ascii", "utf-16-le", "utf-16-be") if word.encode(code) in lower
    ]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(extra=st.recursive(LEVEL, nested, max_leaves=12))
def test_no_name_survives_wherever_it_was_planted(tmp_path: Path, extra: Elements) -> None:
    source, target = tmp_path / "source.dcm", tmp_path / "target.dcm"
    target.unlink(missing_ok=True)
    source.write_bytes(image(extra))
    assert hidden_in(source.read_bytes())
    export_file(source, target, SOMEONE)
    assert hidden_in(target.read_bytes()) == []
    assert np.array_equal(dcmread(target).pixel_array.ravel(), np.arange(24))


def test_a_sequence_too_deep_to_mean_anything_ends_before_its_bottom(tmp_path: Path) -> None:
    deep: Elements = {0x00181250: ascii_text("SH", "BOTTOM")}
    for _ in range(30):
        deep = {0x00081140: sequence([deep])}
    (tmp_path / "source.dcm").write_bytes(image(deep))
    export_file(tmp_path / "source.dcm", tmp_path / "target.dcm", SOMEONE)
    assert b"BOTTOM" not in (tmp_path / "target.dcm").read_bytes()


def test_what_describes_the_image_stays_as_it_was_written(export: Export) -> None:
    dataset = small_image()
    dataset.TriggerTime, dataset.NominalInterval, dataset.MagneticFieldStrength = (
        "275.200012207031",
        860,
        "1.5",
    )
    dataset.Manufacturer, dataset.ManufacturerModelName = "GE MEDICAL SYSTEMS", "SIGNA HDx"
    dataset.SequenceName, dataset.AcquisitionMatrix = "*tfi2d1_10", [0, 256, 192, 0]
    dataset.PatientWeight, dataset.PatientSex, dataset.PatientAge = "81.5", "F", "052Y"
    dataset.PixelRepresentation, dataset.PixelPaddingValue = 1, -2000
    done = export(dataset)
    for keyword in ("TriggerTime", "ManufacturerModelName", "SequenceName", "PatientWeight", "PatientAge"):
        assert str(done[keyword].value) == str(dataset[keyword].value)
    assert (done.NominalInterval, done.MagneticFieldStrength, done.PatientSex) == (860, 1.5, "F")
    assert (list(done.AcquisitionMatrix), done.PixelPaddingValue) == ([0, 256, 192, 0], -2000)
    assert done.ImagePositionPatient == dataset.ImagePositionPatient


@pytest.mark.parametrize(
    ("age", "written"), [("089Y", "089Y"), ("090Y", "090Y"), ("104Y", "090Y"), ("old", "")]
)
def test_nobody_is_older_than_ninety(export: Export, age: str, written: str) -> None:
    dataset = small_image()
    dataset.add_new("PatientAge", "AS", age)
    assert export(dataset).PatientAge == written


@pytest.mark.parametrize(
    ("description", "left"),
    [
        ("cine_trufi_retro SAX b3", "cine_trufi_retro_SAX_b3"),
        ("Dr. House: 4ch for Mrs. Doe", "4ch"),
        ("SA CINE 12.03.1954", "SA_CINE"),
        ("born 12 03 54 LGE", "LGE"),
        ("sBTFE_BH Short Axis 2", "sBTFE_BH_Short_Axis_2"),
    ],
)
def test_of_a_description_words_of_the_trade_are_left(description: str, left: str) -> None:
    assert of_the_trade(description) == left


def test_private_numbers_of_slices_and_phases_stay_and_other_private_attributes_go(export: Export) -> None:
    dataset = small_image()
    block = dataset.private_block(0x2001, "Philips Imaging DD 001", create=True)
    other = dataset.private_block(0x2001, "Somebody's 002", create=True)
    for element, value in ((0x08, 3), (0x0A, 4)):
        block.add_new(element, "IS", value)
    block.add_new(0x0B, "CS", "TRANSVERSAL")
    other.add_new(0x08, "LO", ELSEWHERE)
    done = export(dataset)
    kept = done.private_block(0x2001, "Philips Imaging DD 001")
    assert (kept[0x08].value, kept[0x0A].value) == (3, 4)
    assert len([element for element in done if element.tag.is_private]) == 3


# UIDs and days


def test_the_same_key_gives_the_same_bytes_and_another_key_no_uid_in_common(tmp_path: Path) -> None:
    source = tmp_path / "source.dcm"
    small_image().save_as(source, enforce_file_format=True)
    names = [tmp_path / name for name in ("once", "twice", "other")]
    for target, key in zip(names, (KEY, KEY, bytes(32)), strict=True):
        export_file(source, target, Pseudonyms(key, "someone"))
    assert names[0].read_bytes() == names[1].read_bytes()
    a, b = (
        {str(one.value) for one in dcmread(path) if one.VR == "UI"} - {MRImageStorage} for path in names[1:]
    )
    assert (len(a), a & b) == (3, set())


def test_references_lead_where_they_led(export: Export) -> None:
    target, source = small_image(), small_image()
    target.SOPInstanceUID = "1.02.003"  # leading zeros, as real files have them
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = MRImageStorage, "1.02.003"
    source.ReferencedImageSequence = [reference]
    [after] = export(source).ReferencedImageSequence
    assert after.ReferencedSOPInstanceUID == export(target).SOPInstanceUID
    assert (after.ReferencedSOPClassUID, after.ReferencedSOPInstanceUID[:5]) == (MRImageStorage, "2.25.")


def test_days_move_together_and_by_another_number_for_another_patient(export: Export) -> None:
    dataset = small_image()
    dataset.StudyDate, dataset.AcquisitionDate, dataset.AcquisitionTime = "20240229", "20240301", "235959.5"
    dataset.AcquisitionDateTime = "20240301235959.500000+0100"
    done, other = export(dataset), export(dataset, Pseudonyms(KEY, "somebody else"))
    study, taken = (date.fromisoformat(str(done[key].value)) for key in ("StudyDate", "AcquisitionDate"))
    assert (taken - study).days == 1
    assert study < date(2024, 2, 29)
    assert done.AcquisitionDateTime == f"{taken:%Y%m%d}235959.500000"
    assert done.AcquisitionTime == "235959.5"
    assert other.StudyDate != done.StudyDate


@pytest.mark.parametrize("nonsense", ["20120000", "2012", "0001", "00010105", "yesterday"])
def test_what_is_no_day_is_removed(export: Export, nonsense: str) -> None:
    dataset = small_image()
    dataset.StudyDate = nonsense
    assert export(dataset).StudyDate == ""


def test_patients_get_names_that_say_nothing_and_stay_theirs() -> None:
    names = {Pseudonyms(KEY, f"patient {number}").patient for number in range(500)}
    assert len(names) == 500
    assert Pseudonyms(KEY, "patient 7").patient in names
    assert Pseudonyms(bytes(32), "patient 7").patient not in names


# Pixels


def twelve_bits(rows: int, columns: int) -> Dataset:
    """An image of 16-bit words of which 12 hold the pixel."""
    dataset = small_image()
    dataset.Rows, dataset.Columns, dataset.BitsStored, dataset.HighBit = rows, columns, 12, 11
    dataset.PixelData = (np.arange(rows * columns) * 7 % 4096).astype("<u2").tobytes()
    return dataset


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_every_encoding_comes_out_plain_and_pixel_by_pixel(tmp_path: Path, syntax: str) -> None:
    (tmp_path / "other").mkdir()
    plain = tmp_path / "plain.dcm"
    dataset = twelve_bits(48, 40)
    dataset.save_as(plain, enforce_file_format=True)
    export_file(reencode(plain, tmp_path / "other", syntax), tmp_path / "target.dcm", SOMEONE)
    done = dcmread(tmp_path / "target.dcm")
    assert done.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert np.array_equal(done.pixel_array, dataset.pixel_array)
    assert (done.Rows, done.Columns, done.BitsStored, done.ImageType[0]) == (48, 40, 12, "ORIGINAL")


def test_what_is_hidden_beside_the_pixels_stays_behind(tmp_path: Path) -> None:
    dataset = twelve_bits(48, 40)
    dataset.compress(JPEGLSLossless)
    [frame] = generate_frames(dataset.PixelData, number_of_frames=1)
    comment = NAME.encode() + b"\0"
    frame = frame[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + frame[2:]
    dataset.PixelData = encapsulate([frame])
    dataset.preamble = NAME.encode().ljust(128, b"\0")
    source, target = tmp_path / "source.dcm", tmp_path / "target.dcm"
    dataset.save_as(source, enforce_file_format=True)
    export_file(source, target, SOMEONE)
    assert (len(hidden_in(source.read_bytes())), hidden_in(target.read_bytes())) == (1, [])


def test_bits_that_hold_no_pixel_are_cleared(export: Export) -> None:
    dataset = twelve_bits(4, 6)
    dataset.PixelData = (np.arange(24, dtype="<u2") | 0xA000).tobytes()
    assert np.frombuffer(export(dataset).PixelData, "<u2").tolist() == list(range(24))
    dataset.PixelRepresentation = 1
    dataset.PixelData = (np.arange(-12, 12, dtype="<i2") & 0x0FFF).astype("<i2").tobytes()
    assert np.frombuffer(export(dataset).PixelData, "<i2").tolist() == list(range(-12, 12))


def test_frames_are_all_there(export: Export) -> None:
    dataset = small_image()
    dataset.SOPClassUID, dataset.NumberOfFrames = EnhancedMRImageStorage, 5
    dataset.PixelData = np.arange(120, dtype="<u2").tobytes()
    assert export(dataset).pixel_array.ravel().tolist() == list(range(120))


def odd(**values: object) -> Dataset:
    dataset = small_image()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.mark.parametrize(
    ("dataset", "reason"),
    [
        (odd(BurnedInAnnotation="YES"), "burned-in annotation"),
        (odd(ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"]), "shows a screen"),
        (odd(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.22"), "no MR image"),
        (odd(PixelData=b"\0\0"), "cannot be read"),
        (odd(SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0), "cannot be read"),
    ],
)
def test_what_may_show_or_say_anything_stays_behind(export: Export, dataset: Dataset, reason: str) -> None:
    with pytest.raises(NotExported, match=reason):
        export(dataset)


def test_another_file_under_the_name_is_not_overwritten(tmp_path: Path) -> None:
    source, target = tmp_path / "source.dcm", tmp_path / "target.dcm"
    small_image().save_as(source, enforce_file_format=True)
    target.write_bytes(b"something else")
    with pytest.raises(NotExported, match="empty folder"):
        export_file(source, target, SOMEONE)
    assert target.read_bytes() == b"something else"
    assert {path.name for path in tmp_path.iterdir()} == {"source.dcm", "target.dcm"}


def test_big_endian_numbers_are_turned_around(tmp_path: Path) -> None:
    dataset = small_image()
    dataset.AcquisitionMatrix = [0, 256, 192, 0]
    dataset.save_as(tmp_path / "plain.dcm", enforce_file_format=True)
    (tmp_path / "other").mkdir()
    source = reencode(tmp_path / "plain.dcm", tmp_path / "other", ExplicitVRBigEndian)
    export_file(source, tmp_path / "target.dcm", SOMEONE)
    assert list(dcmread(tmp_path / "target.dcm").AcquisitionMatrix) == [0, 256, 192, 0]
