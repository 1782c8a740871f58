"""What the quick look at an object of ours says is what the library says, or nothing."""

import struct
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from dicom_node.claims import Claims, claims_of
from dicom_node.quick_claims import quick_claims
from pipeline.header import UNREADABLE
from reports import Report, build_reports
from tests.reports.made import everything
from tests.reports.scans import STUDY_UID, small_context

IDS = ("", "ABC-1", "A B ", " A", "A\\B", "A~B", "Müller", "山田", "<A>", "a\tb")
SHORT = ("UI", "SH", "LO", "CS", "PN", "FD", "xx")
LONG = ("OB", "SQ", "UN", "UT", "OV")
NAMING = (0x00080018, 0x00080100, 0x00081155, 0x00100020, 0x0020000D, 0x00200052, 0x0040A124)
OTHERS = (0x00080005, 0x00091010, 0x00420011, 0x7FE00001, 0x7FE00008, 0x7FE00010, 0xFFFAFFFA, 0xFFFEE00D)
SEQUENCES = (0x00081199, 0x00101002, 0x0040A043, 0x0040A730)
WORDS = (b"1.2.3\0", b"1.2.3", b" 1.2", b"1.2\\3.4", b"112227", b"112227 ", b" 112227", b"", b"\0\0", b"ABC ")


def by_library(content: bytes) -> Claims | None:
    try:
        return claims_of(dcmread(BytesIO(content), stop_before_pixels=True))
    except UNREADABLE:
        return None


def looked_at(content: bytes, head: int | None = None) -> Claims | None:
    seen = content[:head]
    return quick_claims(seen, whole=len(seen) == len(content))


def content_of(dataset: Dataset) -> bytes:
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[Report]:
    """Every kind of object, the structured report first."""
    return build_reports(small_context(tmp_path_factory.mktemp("study"), options=everything()))


@pytest.fixture(scope="module")
def report(reports: list[Report]) -> bytes:
    """The structured report."""
    return content_of(reports[0].dataset)


@pytest.fixture(scope="module")
def beginning(report: bytes) -> bytes:
    """What stands before its data set."""
    return report[: 144 + int.from_bytes(report[140:144], "little")]


def test_no_kind_of_object_needs_the_library(reports: list[Report]) -> None:
    for one in reports:
        claims = looked_at(content_of(one.dataset))
        assert claims is not None, one.kind
        assert claims == claims_of(one.dataset), one.kind


def test_a_report_names_its_study_where_it_lies_and_what_it_cites(
    reports: list[Report], report: bytes
) -> None:
    claims = looked_at(report)
    assert claims is not None
    assert claims.sop_instance_uid == reports[0].dataset.SOPInstanceUID
    assert claims.patient_id == reports[0].dataset.PatientID != ""
    assert claims.studies == {STUDY_UID}
    assert len(claims.frames) == 1
    assert len(claims.cited) > len(reports)


def test_of_a_beginning_only_what_stands_before_the_pixels_is_believed(
    reports: list[Report], report: bytes
) -> None:
    picture = content_of(next(one.dataset for one in reports if one.kind == "summary"))
    assert looked_at(picture, len(picture) - 1000) == looked_at(picture) == by_library(picture)
    assert {looked_at(report, cut) for cut in range(0, len(report), 13)} == {None}


@pytest.mark.parametrize("patient_id", IDS)
def test_whatever_the_patient_is_called(report: bytes, patient_id: str) -> None:
    dataset = dcmread(BytesIO(report))
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientID = patient_id
    content = content_of(dataset)
    assert looked_at(content) in (by_library(content), None)


def test_an_object_in_another_syntax_is_left_to_the_library(report: bytes) -> None:
    dataset = dcmread(BytesIO(report))
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    assert looked_at(content_of(dataset)) is None


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(place=st.integers(128, 6000), put=st.binary(min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_whatever_bytes_are_wrong_it_says_nothing_else_than_the_library(
    report: bytes, place: int, put: bytes
) -> None:
    altered = report[:place] + put + report[place + len(put) :]
    assert looked_at(altered) in (by_library(altered), None)


def element(tag: int, vr: str, value: bytes) -> bytes:
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    length = struct.pack("<HI", 0, len(value)) if vr in LONG else struct.pack("<H", len(value))
    return head + length + value


def item(*inside: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", sum(map(len, inside))) + b"".join(inside)


def open_item(*inside: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + b"".join(inside) + b"\xfe\xff\x0d\xe0\0\0\0\0"


def in_order(elements: list[bytes]) -> list[bytes]:
    return sorted(elements, key=lambda one: struct.unpack_from("<HH", one))


naming = st.builds(element, st.sampled_from(NAMING), st.just("UI"), st.sampled_from(WORDS))
codes = st.builds(element, st.just(0x00080100), st.just("SH"), st.sampled_from(WORDS))
odd = st.builds(
    element, st.sampled_from(NAMING + OTHERS), st.sampled_from(SHORT + LONG), st.sampled_from(WORDS)
)
nested = st.recursive(
    st.one_of(naming, naming, codes, odd),
    lambda inside: st.builds(
        lambda tag, items: element(tag, "SQ", b"".join(items)),
        st.sampled_from(SEQUENCES),
        st.lists(
            st.builds(
                lambda make, some: make(*in_order(some)),
                st.sampled_from((item, item, item, open_item)),
                st.lists(inside, max_size=4),
            ),
            max_size=3,
        ),
    ),
    max_leaves=12,
)


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(inside=st.lists(nested, max_size=6), ordered=st.sampled_from((True, True, True, False)))
@settings(max_examples=400, deadline=None)
def test_whatever_elements_say_is_heard_as_the_library_hears_it(
    beginning: bytes, inside: list[bytes], ordered: bool
) -> None:
    content = beginning + b"".join(in_order(inside) if ordered else inside)
    assert looked_at(content) in (by_library(content), None)
