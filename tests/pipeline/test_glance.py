"""Files whose facts are known: read without their headers while they are the same, and with them if not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import ImplicitVRLittleEndian, RLELossless

from pipeline import InstanceFacts, Study, assemble, find_stack, read_facts, read_study
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from pipeline.stored import stored_pixels
from tests.pipeline.reencode import reencode

SCAN = Scan(slices=4, phases=8, matrix=(64, 64), spacing_mm=4.0)


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("phantom")
    return list(write_dicom(render(draw_heart(3, scar=True), SCAN), folder, Layout.GE))


def facts_of(paths: list[Path]) -> dict[Path, InstanceFacts]:
    """As the database gives them back."""
    return {path: InstanceFacts.from_json(read_facts(path).as_json()) for path in paths}


def unread(study: Study) -> int:
    return sum(instance.given is None for instance in study.instances)


def volume(study: Study) -> tuple[str, np.ndarray]:
    made = assemble(study, find_stack(study.facts), allow_missing=False)
    return made.digest, made.voxels


@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian, RLELossless])
def test_known_files_give_the_same_volume_and_no_header_is_read(
    paths: list[Path], tmp_path: Path, syntax: str | None
) -> None:
    stored = [reencode(path, tmp_path, syntax) for path in paths] if syntax else paths
    known = read_study(stored, facts_of(stored))
    assert unread(known) == len(paths)
    assert len({instance.whose for instance in known.instances}) == 1
    assert volume(known)[0] == volume(read_study(paths))[0]
    assert known.header_of(known.instances[5].facts.sop_instance_uid).Rows == 64


@pytest.mark.data
def test_real_headers_with_sequences_of_undefined_length_are_walked(bivme: list[Path]) -> None:
    study = read_study(bivme, facts_of(bivme))
    assert unread(study) == len(bivme)
    assert len({instance.whose for instance in study.instances}) == 1


def test_another_patient_shows_without_a_header_being_read(paths: list[Path], tmp_path: Path) -> None:
    other = dcmread(paths[0])
    other.PatientName = "Somebody^Else"
    changed = tmp_path / "changed.dcm"
    other.save_as(changed)
    mixed = [changed, *paths[1:]]
    study = read_study(mixed, facts_of(mixed))
    assert unread(study) == len(paths)
    assert len({instance.whose for instance in study.instances}) == 2


def longer(image: Path) -> bytes:
    dataset = dcmread(image)
    dataset.ImageComments = "written after the index looked"
    dataset.save_as(image)
    return image.read_bytes()


def cut_short(image: Path) -> bytes:
    return image.read_bytes()[:-2]


def renamed(image: Path) -> bytes:
    content = image.read_bytes()
    uid = str(dcmread(image, stop_before_pixels=True).SOPInstanceUID)
    other = f"{uid[:-1]}{(int(uid[-1]) + 1) % 10}"
    return content.replace(uid.encode(), other.encode())


@pytest.mark.parametrize("change", [longer, cut_short, renamed])
def test_a_file_that_is_not_what_the_index_knew_is_read_anew(
    paths: list[Path], tmp_path: Path, change: Callable[[Path], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    image = tmp_path / "image.dcm"
    image.write_bytes(paths[0].read_bytes())
    known = facts_of([image])
    image.write_bytes(change(image))
    with caplog.at_level("WARNING"):
        study = read_study([image], known)
    assert unread(study) == 0
    assert study.facts[0] == read_facts(image)
    assert "1 files are not as the index remembers them" in caplog.text


def test_bits_that_are_not_stored_are_not_shown(paths: list[Path], tmp_path: Path) -> None:
    image = dcmread(paths[0])
    plain = image.pixel_array.astype("<u2") & 0x0FFF
    image.BitsStored, image.HighBit = 12, 11
    image.PixelRepresentation = 0
    image.PixelData = (plain | 0xA000).tobytes()
    dirty = tmp_path / "dirty.dcm"
    image.save_as(dirty)
    read = stored_pixels(dirty, read_facts(dirty), 1)
    assert read is not None
    assert np.array_equal(read, plain)
    assert np.array_equal(read, dcmread(dirty).pixel_array)
