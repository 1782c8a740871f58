"""Dirty headers: repaired in what we write, and attached to the same study and patient all the same."""

import io
import struct
from pathlib import Path

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from reports import build_reports
from reports.charset import text_of
from reports.header import patient_and_study, repaired, utc_offset
from tests.peers import dciodvfy
from tests.reports.scans import STUDY_UID, header, small_context
from tests.reports.tree import faults


def raw(**values: bytes) -> Dataset:
    """A header with these values as they would lie in a file, read back without looking at them."""
    image = header(1)
    for keyword in values:
        image.pop(keyword, None)
    others = io.BytesIO()
    del image.file_meta
    dcmwrite(others, image, implicit_vr=True, little_endian=True)
    dirty = b"".join(_encoded(_tag(keyword), value) for keyword, value in values.items())
    return dcmread(io.BytesIO(dirty + others.getvalue()), force=True)


def _encoded(tag: int, value: bytes) -> bytes:
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value


def _tag(keyword: str) -> int:
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword)
    assert tag is not None
    return tag


@pytest.mark.parametrize(
    ("keyword", "dirty", "clean"),
    [
        ("StudyDate", "20120000", ""),
        ("PatientBirthDate", "00000000", ""),
        ("StudyDate", "2012.01.31", "20120131"),
        ("StudyDate", "20260102", "20260102"),
        ("StudyTime", "081327.000000", "081327.000000"),
        ("StudyTime", "08:13:27", "081327"),
        ("StudyTime", "256199", ""),
        ("StudyTime", "0813", "0813"),
        ("PatientSex", "U", ""),
        ("PatientSex", "F", "F"),
        ("PatientAge", "64", ""),
        ("PatientAge", "064Y", "064Y"),
        ("PatientWeight", "about 70", ""),
        ("PatientWeight", "70.5", "70.5"),
        ("AccessionNumber", "x" * 17, ""),
        ("StudyID", "y" * 16, "y" * 16),
        ("StudyDescription", "z" * 100_000, "z" * 64),
        ("StudyDescription", "Heart\r\n\x1b[31mred", "Heart   [31mred"),
        ("PatientName", "A^B^C^D^E^F=G=H=I", "A^B^C^D^E=G=H"),
        ("PatientName", "n" * 100_000, "n" * 64),
    ],
)
def test_a_value_becomes_the_nearest_valid_one(keyword: str, dirty: str, clean: str) -> None:
    assert repaired(keyword, dirty) == clean


@pytest.mark.filterwarnings("ignore:Unknown encoding")  # pydicom's reader says so; we stay silent
@pytest.mark.parametrize(
    ("terms", "encoded", "name"),
    [
        (b"ISO_IR 100", "Müller^Jörg".encode("latin-1"), "Müller^Jörg"),
        (b"ISO_IR 192", "Ångström^Ø".encode(), "Ångström^Ø"),
        (b"GB18030", "王^小东=丈".encode("gb18030"), "王^小东=丈"),
        (
            b"\\ISO 2022 IR 87",
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
        ),
        (b"ISO_IR 138", "שלום^דוד".encode("iso8859_8"), "שלום^דוד"),
        (b"NO SUCH SET", b"Plain^Name", "Plain^Name"),
        (b"", b"Plain^Name", "Plain^Name"),
    ],
    ids=["latin 1", "utf-8", "gb18030", "empty first term", "hebrew", "unknown term", "none"],
)
def test_a_name_in_any_character_set_is_written_in_utf_8(terms: bytes, encoded: bytes, name: str) -> None:
    source = raw(SpecificCharacterSet=terms, PatientName=encoded)
    result = patient_and_study(source, STUDY_UID)
    assert result.SpecificCharacterSet == "ISO_IR 192"
    buffer = io.BytesIO()
    dcmwrite(buffer, result, implicit_vr=False, little_endian=True)
    assert name.encode() in buffer.getvalue()


def test_absent_type_2_attributes_are_written_empty() -> None:
    source = header(1)
    for keyword in ("AccessionNumber", "StudyID", "PatientBirthDate", "StudyTime", "ReferringPhysicianName"):
        delattr(source, keyword)
    result = patient_and_study(source, STUDY_UID)
    assert result.AccessionNumber == ""
    assert "StudyID" in result
    assert "ReferringPhysicianName" in result


def test_patient_id_and_study_uid_are_copied_verbatim_even_when_invalid() -> None:
    result = patient_and_study(raw(PatientID=b"P" * 80), "1.2.03.4")
    assert text_of(result, "PatientID") == "P" * 80
    assert text_of(result, "StudyInstanceUID") == "1.2.03.4"


def test_private_attributes_of_the_scanner_do_not_reach_the_results(tmp_path: Path) -> None:
    def dirty(image: Dataset) -> None:
        image.add(DataElement(0x00990012, "CS", "NeoAnon"))
        image.add(DataElement(0x00991201, "LO", "something"))

    for made in build_reports(small_context(tmp_path, change=dirty)):
        assert not [element.tag for element in made.dataset.iterall() if element.tag.is_private]


def test_our_times_are_in_the_time_zone_of_the_source(tmp_path: Path) -> None:
    def berlin(image: Dataset) -> None:
        image.TimezoneOffsetFromUTC = "+0100"

    document = build_reports(small_context(tmp_path, change=berlin))[0].dataset
    assert (document.ContentTime, document.TimezoneOffsetFromUTC) == ("060607", "+0100")


@pytest.mark.parametrize("value", ["", "CET", "+2500", "0100"])
def test_a_time_zone_nobody_can_read_counts_as_none(value: str) -> None:
    source = Dataset()
    source.TimezoneOffsetFromUTC = value
    assert utc_offset(source) == "+0000"


def test_a_deidentified_source_makes_deidentified_results() -> None:
    source = header(1)
    source.PatientIdentityRemoved = "YES"
    result = patient_and_study(source, STUDY_UID)
    assert result.PatientIdentityRemoved == "YES"
    assert result.DeidentificationMethod


@pytest.mark.peers("dciodvfy")
def test_the_dirtiest_header_makes_valid_objects_of_the_same_study(tmp_path: Path) -> None:
    def dirty(image: Dataset) -> None:
        for keyword in ("AccessionNumber", "StudyID", "PatientBirthDate", "StudyTime", "SliceThickness"):
            delattr(image, keyword)
        for keyword, value in (("StudyDate", "20120000"), ("PatientSex", "U"), ("PatientName", "n" * 300)):
            image[keyword] = DataElement(_tag(keyword), "LO", value, already_converted=True)
        image[0x0020000D] = DataElement(0x0020000D, "UI", "1.2.03.4", already_converted=True)

    made = build_reports(small_context(tmp_path / "in", change=dirty, answer={"attention": None}))
    assert faults(made[0].dataset) == []
    for number, one in enumerate(made):
        path = tmp_path / f"{number}.dcm"
        one.dataset.save_as(path, enforce_file_format=True)
        assert text_of(dcmread(path), "StudyInstanceUID") == "1.2.03.4"
        unexpected = [error for error in dciodvfy(path) if "<1.2.03.4>" not in error]
        assert unexpected in (
            [],
            ["Error - Dicom dataset contains invalid data values for Value Representations"],
        )


@pytest.mark.parametrize("term", ["rot13", "zlib_codec", "idna", "unicode_escape", "ISO_IR 999"])
def test_a_character_set_that_is_none_is_the_default_repertoire(term: str) -> None:
    """Pydicom looks for a codec of that name, and Python has some that are not for text."""
    spoiled = Dataset()
    spoiled.add_new(0x00080005, "CS", term)
    spoiled[0x00100010] = RawDataElement(Tag(0x00100010), "PN", 6, b"Jo^An ", 0, False, True)
    assert text_of(spoiled, "PatientName") == "Jo^An"
