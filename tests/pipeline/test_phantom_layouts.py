"""One simulated study in seven layouts is one volume."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from pipeline.assemble import assemble
from pipeline.completeness import judge
from pipeline.phantom import Layout, Phantom, Scan, draw_heart, render, write_dicom
from pipeline.stack import find_stack
from pipeline.study import read_study
from pipeline.volume import CineVolume
from tests.peers.validators import dciodvfy

SCAN = Scan(slices=6, phases=9, matrix=(48, 40), spacing_mm=4.0)
TIMED = [layout for layout in Layout if layout is not Layout.PHILIPS_NUMBERED]
SINGLE_FRAME = [layout for layout in Layout if layout not in (Layout.ENHANCED, Layout.LEGACY_CONVERTED)]

Files = Callable[[Layout], list[Path]]


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return render(draw_heart(7, scar=True), SCAN)


@pytest.fixture(scope="module")
def stack_of(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of a study that holds the short-axis stack alone."""
    return cache(lambda layout: write_dicom(phantom, tmp_path_factory.mktemp(layout.name), layout))


@pytest.fixture(scope="module")
def study_of(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of a study with long-axis views and localizers, too."""
    return cache(
        lambda layout: write_dicom(
            phantom, tmp_path_factory.mktemp(layout.name), layout, with_companions=True
        )
    )


def read_back(paths: list[Path]) -> CineVolume:
    study = read_study(paths)
    return assemble(study, find_stack(study.facts), allow_missing=False)


def headers(paths: list[Path]) -> list[Dataset]:
    return [dcmread(path, stop_before_pixels=True) for path in paths]


@pytest.mark.parametrize("layout", TIMED)
def test_every_layout_reads_back_as_the_same_volume(
    layout: Layout, phantom: Phantom, stack_of: Files
) -> None:
    volume = read_back(stack_of(layout))
    assert volume.digest == phantom.volume.digest
    assert volume.frame_of_reference_uid == phantom.volume.frame_of_reference_uid
    assert volume.study_instance_uid == phantom.volume.study_instance_uid
    assert volume.filled == ()


def test_without_trigger_times_only_times_are_lost(phantom: Phantom, stack_of: Files) -> None:
    volume = read_back(stack_of(Layout.PHILIPS_NUMBERED))
    assert np.array_equal(volume.voxels, phantom.volume.voxels)
    assert volume.geometry.origins_mm == phantom.volume.geometry.origins_mm
    assert volume.rr_ms != phantom.volume.rr_ms


def test_the_sources_of_the_volume_are_the_files_of_the_ge_layout(phantom: Phantom, stack_of: Files) -> None:
    assert read_back(stack_of(Layout.GE)).sources == phantom.volume.sources


@pytest.mark.parametrize("layout", list(Layout))
def test_long_axis_views_and_localizers_are_not_taken_for_the_stack(
    layout: Layout, phantom: Phantom, study_of: Files
) -> None:
    study = read_study(study_of(layout))
    stack = find_stack(study.facts)
    descriptions = {plane.instance.series_description for plane in stack.planes}
    assert judge(stack).full
    assert (len(stack.slices), stack.phases) == (6, 9)
    assert all("SA" in description for description in descriptions)
    assert len({facts.series_description for facts in study.facts} - descriptions) == 5
    assert np.array_equal(assemble(study, stack, allow_missing=False).voxels, phantom.volume.voxels)


@pytest.mark.parametrize("layout", list(Layout))
def test_the_same_arguments_give_the_same_bytes(
    layout: Layout, phantom: Phantom, stack_of: Files, tmp_path: Path
) -> None:
    once, again = stack_of(layout), write_dicom(phantom, tmp_path, layout)
    assert [path.name for path in again] == [path.name for path in once]
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in once]


@pytest.mark.peers("dciodvfy")
@pytest.mark.parametrize("layout", list(Layout))
def test_a_validator_finds_no_error(layout: Layout, study_of: Files) -> None:
    paths = study_of(layout)
    one_of_each = dict(zip((header.SeriesDescription for header in headers(paths)), paths, strict=True))
    assert len(one_of_each) >= 6
    assert {path.name: errors for path in one_of_each.values() if (errors := dciodvfy(path))} == {}


@pytest.mark.parametrize("layout", list(Layout))
def test_every_file_says_that_it_is_simulated(layout: Layout, study_of: Files) -> None:
    for header in headers(study_of(layout)):
        assert str(header.PatientName) == "PHANTOM^00007"
        assert header.PatientID == "PHANTOM-00007"
        assert "phantom" in header.SeriesDescription
        assert header.StudyDescription == "Simulated cardiac MR phantom"
        assert header.Manufacturer.startswith("Simulated")


@pytest.mark.parametrize("layout", [Layout.SIEMENS, Layout.ENHANCED, Layout.LEGACY_CONVERTED])
def test_another_study_uid_is_another_study_throughout(
    layout: Layout, phantom: Phantom, stack_of: Files, tmp_path: Path
) -> None:
    other = write_dicom(phantom, tmp_path, layout, study_uid="2.25.42", patient_id="PHANTOM-B")
    ours, theirs = headers(stack_of(layout)), headers(other)
    assert {header.PatientID for header in theirs} == {"PHANTOM-B"}
    assert {header.StudyInstanceUID for header in theirs} == {"2.25.42"}
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        assert not {header[keyword].value for header in ours} & {header[keyword].value for header in theirs}


@pytest.mark.parametrize("layout", SINGLE_FRAME)
def test_instance_numbers_run_as_the_maker_lets_them(layout: Layout, stack_of: Files) -> None:
    numbers: dict[str, list[int]] = defaultdict(list)
    depths = []
    for header in headers(stack_of(layout)):
        numbers[header.SeriesInstanceUID].append(int(header.InstanceNumber))
        depths.append(float(header.SliceLocation))
    slices_first = layout in (Layout.PHILIPS, Layout.PHILIPS_NUMBERED)
    expected = 6 * [list(range(1, 10))] if layout is Layout.SIEMENS else [list(range(1, 55))]
    assert list(numbers.values()) == expected
    assert (depths[0] != depths[1]) == slices_first


def test_only_the_layouts_that_state_a_slice_count_declare_it(stack_of: Files) -> None:
    declared = {
        layout: find_stack(read_study(stack_of(layout)).facts).declared_slices for layout in SINGLE_FRAME
    }
    assert declared == {
        Layout.GE: 6,
        Layout.SIEMENS: None,
        Layout.SIEMENS_MIXED: None,
        Layout.PHILIPS: 6,
        Layout.PHILIPS_NUMBERED: 6,
    }


def test_a_heart_is_described_by_plain_numbers(phantom: Phantom) -> None:
    described = asdict(phantom.heart)
    assert described["scar"]["segments"] == phantom.truth.segments
    assert all(type(value) in (int, float, tuple, dict) for value in described.values())
