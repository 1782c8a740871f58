"""What the quick look at a header says is what the library says, or nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import EnhancedMRImageStorage, ImplicitVRLittleEndian

from pipeline import InstanceFacts, UnreadableInstance
from pipeline.facts import facts_of
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from pipeline.reading import read_header
from pipeline.scan import scan_header
from tests.pipeline.files import small_image
from tests.pipeline.reencode import reencode

SCAN = Scan(slices=2, phases=3, matrix=(16, 16))


def by_library(path: Path) -> InstanceFacts | str:
    try:
        return facts_of(read_header(path))
    except UnreadableInstance as error:
        return str(error)


def by_scan(path: Path) -> InstanceFacts | str | None:
    header = scan_header(path)
    try:
        return None if header is None else facts_of(header)
    except UnreadableInstance as error:
        return str(error)


@pytest.mark.parametrize("layout", list(Layout))
def test_a_simulated_image_is_scanned_as_the_library_reads_it(tmp_path: Path, layout: Layout) -> None:
    for path in write_dicom(render(draw_heart(3), SCAN), tmp_path, layout):
        assert by_scan(path) in (by_library(path), None)


@pytest.mark.data
def test_real_images_are_scanned_as_the_library_reads_them(sunnybrook: Callable[[str], list[Path]]) -> None:
    for path in (*sunnybrook("SC-HF-I-4")[:20], *sunnybrook("SC-HF-I-1")[:20]):
        assert by_scan(path) == by_library(path)


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


def test_other_encodings_and_other_objects_are_left_to_the_library(tmp_path: Path) -> None:
    path = tmp_path / "image.dcm"
    small_image().save_as(path, enforce_file_format=True)
    assert scan_header(reencode(path, tmp_path, str(ImplicitVRLittleEndian))) is None
    many = small_image()
    many.SOPClassUID = EnhancedMRImageStorage
    many.save_as(path, enforce_file_format=True)
    assert scan_header(path) is None
    assert scan_header(tmp_path / "absent.dcm") is None
