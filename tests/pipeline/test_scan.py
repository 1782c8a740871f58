"""What the quick look at a header says is what the library says, or nothing."""

import struct
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.datadict import tag_for_keyword
from pydicom.uid import EnhancedMRImageStorage, ImplicitVRLittleEndian

from pipeline import InstanceFacts, UnreadableInstance, read_facts
from pipeline.facts import facts_of
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from pipeline.plain import NotPlain
from pipeline.reading import read_header
from pipeline.scan import begin, scan_file, scan_header
from tests.pipeline.files import small_image
from tests.pipeline.reencode import reencode

SCAN = Scan(slices=2, phases=3, matrix=(16, 16))
LONG = ("OB", "OW", "SQ", "UN", "UT", "UC")
VRS = ("AE", "CS", "DA", "DS", "FD", "FL", "IS", "LO", "PN", "SH", "SL", "SS", "TM", "UI", "UL", "US", *LONG)
ASKED = (
    "SpecificCharacterSet", "ImageType", "SOPClassUID", "SOPInstanceUID", "AcquisitionDate",
    "AcquisitionDateTime", "AcquisitionTime", "Modality", "Manufacturer", "SeriesDescription",
    "ManufacturerModelName", "PatientID", "ProtocolName", "SequenceName", "PulseSequenceName",
    "TriggerTime", "NominalInterval", "RRIntervalTimeNominal", "HeartRate", "CardiacNumberOfImages",
    "EchoTime", "InversionTime", "InversionTimes", "NominalCardiacTriggerDelayTime", "PhaseContrast",
    "Tagging", "ComplexImageComponent", "AcquisitionContrast", "FrameType", "StudyInstanceUID",
    "SeriesInstanceUID", "SeriesNumber", "AcquisitionNumber", "InstanceNumber", "ImagePositionPatient",
    "ImageOrientationPatient", "FrameOfReferenceUID", "TemporalPositionIdentifier",
    "TemporalPositionIndex", "ImagesInAcquisition", "SamplesPerPixel", "PhotometricInterpretation",
    "NumberOfFrames", "Rows", "Columns", "PixelSpacing", "BitsAllocated", "BitsStored",
    "PixelRepresentation", "RescaleIntercept", "RescaleSlope", "LossyImageCompression",
    "ContentSequence",
)  # fmt: skip
PRIVATE = (0x20010010, 0x20011008, 0x20011017, 0x20011018, 0x00210010, 0x0021104F, 0x00190010, 0x001910D7)
TAGS = (*filter(None, map(tag_for_keyword, ASKED)), *PRIVATE, 0x00211110, 0x7FE00001, 0x7FE00008)
WORDS = (
    b"1\\0\\0\\0\\1\\0", b"0.5 ", b"-0.0\\0", b"1.25\\1.5", b"nan", b"1e400", b"20230102", b"101112.5", b"30 ",
    b"Philips Imaging DD 001", b"GEMS_RELA_01", b"GEMS_ACQU_01", b"ISO_IR 192", b"ISO_IR 100\\", b"YES ",
    b"1.2.840.10008.5.1.4.1.1.4\0", b"M\xfcller", b"\xff\xfe", b"\0\x01", b"a\x1bb", b"1" * 200,
)  # fmt: skip
values = st.one_of(
    st.binary(max_size=20), st.sampled_from(WORDS), st.floats(width=32).map(lambda x: str(x)[:15].encode())
)
lies = st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(VRS), values), max_size=6)


def by_library(path: Path) -> InstanceFacts | str:
    try:
        return facts_of(read_header(path))
    except UnreadableInstance as error:
        return str(error)


def by_scan(path: Path) -> InstanceFacts | str | None:
    header = scan_header(begin(path))
    try:
        return None if header is None else facts_of(header)
    except UnreadableInstance as error:
        return str(error)
    except NotPlain:
        return None


def as_read(path: Path) -> InstanceFacts | str:
    try:
        return read_facts(path)
    except UnreadableInstance as error:
        return str(error)


def assert_same(path: Path) -> None:
    """To the sign of a zero, which `==` does not see."""
    assert repr(as_read(path)) == repr(by_library(path))


@pytest.mark.parametrize("layout", list(Layout))
def test_a_simulated_image_is_scanned_as_the_library_reads_it(tmp_path: Path, layout: Layout) -> None:
    for path in write_dicom(render(draw_heart(3), SCAN), tmp_path, layout):
        assert by_scan(path) in (by_library(path), None)
        assert_same(path)


@pytest.mark.data
def test_real_images_are_scanned_as_the_library_reads_them(
    sunnybrook: Callable[[str], list[Path]], bivme: list[Path]
) -> None:
    for path in (*sunnybrook("SC-HF-I-4"), *sunnybrook("SC-HF-I-1"), *bivme):
        assert by_scan(path) is not None
        assert_same(path)


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("scan") / "plain.dcm"
    small_image().save_as(path, enforce_file_format=True)
    return path.read_bytes()


def test_a_plain_image_needs_no_library(tmp_path: Path, plain: bytes) -> None:
    path = tmp_path / "plain.dcm"
    path.write_bytes(plain)
    assert by_scan(path) == by_library(path)
    assert isinstance(by_scan(path), InstanceFacts)


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(place=st.integers(128, 600), put=st.binary(min_size=1, max_size=6), cut=st.integers(0, 700))
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_bytes_are_wrong_the_scan_says_nothing_else_than_the_library(
    tmp_path: Path, plain: bytes, place: int, put: bytes, cut: int
) -> None:
    altered = plain[:place] + put + plain[place + len(put) :]
    path = tmp_path / "altered.dcm"
    path.write_bytes(altered[:cut] if cut > 400 else altered)
    assert by_scan(path) in (by_library(path), None)
    assert_same(path)


def element(tag: int, vr: str, value: bytes) -> bytes:
    value += b" " * (len(value) % 2)
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return head + struct.pack("<HI" if vr in LONG else "<H", *([0] if vr in LONG else []), len(value)) + value


def elements(content: bytes) -> dict[int, bytes]:
    """Tag to the whole element, of a dataset in Explicit VR Little Endian."""
    found, at = {}, 0
    while at < len(content):
        group, number, vr, length = struct.unpack_from("<HH2sH", content, at)
        size = 8 + length
        if vr.decode() in LONG:
            size = 12 + int.from_bytes(content[at + 8 : at + 12], "little")
        found[group << 16 | number] = content[at : at + size]
        at += size
    return found


def with_elements(plain: bytes, told: dict[int, bytes]) -> bytes:
    """The file with these elements in the place of its own, in order."""
    meta_end = 144 + int.from_bytes(plain[140:144], "little")
    dataset = elements(plain[meta_end:]) | told
    return plain[:meta_end] + b"".join(dataset[tag] for tag in sorted(dataset))


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(told=lies)
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_elements_say_is_read_as_the_library_reads_it(
    tmp_path: Path, plain: bytes, told: list[tuple[int, str, bytes]]
) -> None:
    path = tmp_path / "lies.dcm"
    path.write_bytes(with_elements(plain, {tag: element(tag, vr, value) for tag, vr, value in told}))
    assert_same(path)


def open_sequence(tag: int, *items: bytes) -> bytes:
    head = struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, b"SQ", 0, 0xFFFFFFFF)
    return head + b"".join(items) + b"\xfe\xff\xdd\xe0\0\0\0\0"


def open_item(*inside: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + b"".join(inside) + b"\xfe\xff\x0d\xe0\0\0\0\0"


def closed_item(*inside: bytes) -> bytes:
    content = b"".join(inside)
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(content)) + content


leaves = st.builds(element, st.sampled_from(TAGS), st.sampled_from(VRS), st.binary(max_size=6))
nested = st.recursive(
    leaves,
    lambda inside: st.builds(
        open_sequence,
        st.sampled_from((0x00081140, 0x00209172, 0x20011010, 0x00200032)),
        st.lists(inside, max_size=2).map(lambda some: open_item(*some)),
        st.lists(inside, max_size=2).map(lambda some: closed_item(*some)),
    ),
    max_leaves=6,
)


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(
    tag=st.sampled_from((0x00081140, 0x00209172, 0x00211010, 0x0021104F, 0x00200032, 0x00080060)),
    inside=st.lists(nested, max_size=3),
    put=st.one_of(st.none(), st.tuples(st.integers(0, 80), st.binary(min_size=1, max_size=3))),
)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_sequences_of_undefined_length_hide_nothing(
    tmp_path: Path, plain: bytes, tag: int, inside: list[bytes], put: tuple[int, bytes] | None
) -> None:
    sequence = open_sequence(tag, open_item(*inside), closed_item(*inside))
    if put is not None:
        place, wrong = put
        sequence = sequence[: 12 + place] + wrong + sequence[12 + place + len(wrong) :]
    path = tmp_path / "sequence.dcm"
    path.write_bytes(with_elements(plain, {tag: sequence}))
    assert_same(path)


def test_a_sequence_of_undefined_length_is_stepped_over(tmp_path: Path, plain: bytes) -> None:
    path = tmp_path / "sequence.dcm"
    uid = element(0x00081155, "UI", b"1.2.3.")
    inner = open_sequence(0x00081140, open_item(uid), closed_item(uid), closed_item())
    path.write_bytes(with_elements(plain, {0x00081250: open_sequence(0x00081250, open_item(inner, uid))}))
    assert isinstance(by_scan(path), InstanceFacts)
    assert_same(path)


@pytest.mark.parametrize("depth", [2, 9, 2000])
def test_only_so_many_sequences_lie_in_each_other(tmp_path: Path, plain: bytes, depth: int) -> None:
    sequence = b""
    for _ in range(depth):
        sequence = open_sequence(0x00081140, open_item(sequence))
    path = tmp_path / "deep.dcm"
    path.write_bytes(with_elements(plain, {0x00081140: sequence}))
    assert (by_scan(path) is None) == (depth > 8)
    assert_same(path)


def test_a_sequence_where_a_value_is_asked_for_is_left_to_the_library(tmp_path: Path, plain: bytes) -> None:
    path = tmp_path / "sequence.dcm"
    path.write_bytes(with_elements(plain, {0x00080060: open_sequence(0x00080060, open_item())}))
    assert by_scan(path) is None
    assert_same(path)


def test_other_encodings_and_other_objects_are_left_to_the_library(tmp_path: Path) -> None:
    path = tmp_path / "image.dcm"
    small_image().save_as(path, enforce_file_format=True)
    assert scan_header(begin(reencode(path, tmp_path, str(ImplicitVRLittleEndian)))) is None
    many = small_image()
    many.SOPClassUID = EnhancedMRImageStorage
    many.save_as(path, enforce_file_format=True)
    assert scan_header(begin(path)) is None


@pytest.mark.parametrize("more", range(-40, 60, 2))
def test_a_header_may_end_anywhere_about_the_first_read(tmp_path: Path, plain: bytes, more: int) -> None:
    path = tmp_path / "long.dcm"
    pixels = plain.index(b"\xe0\x7f\x10\x00OW")
    private = struct.pack("<HH2sHL", 0x6001, 0x1010, b"UN", 0, fill := 2**14 + more - pixels) + bytes(fill)
    path.write_bytes(plain[:pixels] + private + plain[pixels:])
    found = scan_file(path)
    assert found is not None
    assert found.pixel_offset == pixels + len(private) + 12
    assert_same(path)


def test_a_file_that_is_not_there_is_the_librarys_to_explain(tmp_path: Path) -> None:
    assert_same(tmp_path / "absent.dcm")


@pytest.mark.parametrize("layout", [Layout.GE, Layout.ENHANCED])
def test_facts_are_kept_field_by_field(tmp_path: Path, layout: Layout) -> None:
    path = write_dicom(render(draw_heart(3), SCAN), tmp_path, layout)[0]
    assert read_facts(path).as_json() == asdict(read_facts(path))
