"""The heart is where the experts, the phantom's builder and plane geometry say."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from pipeline import CineVolume, Study, assemble, find_stack, read_facts, read_study
from pipeline.centre import heart_centre
from pipeline.phantom import Scan, draw_heart, render
from tests.pipeline.views import of_header, plane, study_of, tilted

PLANES = "crossing of the 2-chamber, 4-chamber and short-axis planes"
MOTION = "disc surrounded by moving edges"


def read(paths: list[Path]) -> tuple[Study, CineVolume]:
    study = read_study(paths)
    return study, assemble(study, find_stack([read_facts(path) for path in paths]), allow_missing=False)


def distance_mm(volume: CineVolume, first: tuple[float, float], second: tuple[float, float]) -> float:
    return float(np.hypot(*((np.asarray(first) - second) * volume.geometry.spacing_mm[1:])))


@pytest.mark.data
@pytest.mark.parametrize("patient", ["SC-HF-I-4", "SC-HF-I-1"])
def test_it_lies_within_15_mm_of_the_experts_cavity(
    patient: str, data_dir: Path, sunnybrook: Callable[[str], list[Path]]
) -> None:
    study, volume = read(sunnybrook(patient))
    contours = sorted((data_dir / "sunnybrook" / patient / "contours").rglob("*icontour*.txt"))
    column, row = np.mean([np.loadtxt(path).mean(axis=0) for path in contours], axis=0)
    centre = heart_centre(volume, study)
    assert centre.rule == MOTION
    assert len(contours) > 10
    assert distance_mm(volume, (centre.row, centre.column), (row, column)) < 15


@pytest.mark.data
def test_long_axis_planes_and_motion_agree_on_a_real_heart(bivme: list[Path]) -> None:
    study, volume = read(bivme)
    by_planes, by_motion = heart_centre(volume, study), heart_centre(volume)
    assert (by_planes.rule, by_motion.rule) == (PLANES, MOTION)
    apart = distance_mm(volume, (by_planes.row, by_planes.column), (by_motion.row, by_motion.column))
    assert apart < 15


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_it_lies_in_a_phantoms_ventricle(seed: int) -> None:
    phantom = render(draw_heart(seed), Scan(matrix=(160, 144), spacing_mm=1.8))
    truth = np.mean(phantom.truth.centres_px, axis=0)
    centre = heart_centre(phantom.volume)
    assert centre.rule == MOTION
    assert distance_mm(phantom.volume, (centre.row, centre.column), tuple(truth)) < 8


@pytest.fixture(scope="module")
def heart() -> CineVolume:
    return render(draw_heart(5), Scan(slices=6, phases=8)).volume


def test_two_long_axis_planes_cross_the_middle_slice_in_the_point_both_hold(heart: CineVolume) -> None:
    point = heart.geometry.position_mm(3, 70.25, 58.5)
    study = study_of(
        plane("CINE_4CH", tilted(heart, 80), point, "1.1"),
        plane("cine 2 chamber", tilted(heart, -10), point, "1.2"),
    )
    assert heart_centre(heart, study_of(study.instances[0])).rule == MOTION
    centre = heart_centre(heart, study, margin_mm=10)
    assert centre.rule == PLANES
    assert (centre.row, centre.column) == pytest.approx((70.25, 58.5), abs=0.01)


def test_enhanced_headers_say_their_plane_in_functional_groups(heart: CineVolume) -> None:
    point = heart.geometry.position_mm(3, 70.0, 58.0)
    instances = []
    for description, degrees, series in (("2CH", 80, "1.1"), ("4CH", -10, "1.2")):
        flat = plane(description, tilted(heart, degrees), point, series).header
        position, orientation, frame = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = flat.ImagePositionPatient
        orientation.ImageOrientationPatient = flat.ImageOrientationPatient
        frame.PlanePositionSequence, frame.PlaneOrientationSequence = [position], [orientation]
        del flat.ImagePositionPatient, flat.ImageOrientationPatient
        flat.PerFrameFunctionalGroupsSequence = [frame]
        instances.append(of_header(flat))
    centre = heart_centre(heart, study_of(*instances), margin_mm=10)
    assert (centre.row, centre.column) == pytest.approx((70.0, 58.0), abs=0.01)


@pytest.mark.parametrize(
    ("degrees", "why"),
    [((80.0, 70.0), "nearly parallel to each other"), ((0.0, 90.0), "crossing off the image")],
)
def test_planes_that_tell_nothing_are_passed_over(
    degrees: tuple[float, float], why: str, heart: CineVolume
) -> None:
    point = heart.geometry.position_mm(3, 900.0, 58.0)
    study = study_of(
        plane("2CH", tilted(heart, degrees[0]), point, "1.1"),
        plane("4CH", tilted(heart, degrees[1]), point, "1.2"),
    )
    assert heart_centre(heart, study).rule == MOTION, why


def test_a_plane_parallel_to_the_stack_is_no_long_axis_plane(heart: CineVolume) -> None:
    point = heart.geometry.position_mm(3, 60.0, 60.0)
    across = np.cross(heart.geometry.directions[1], heart.geometry.directions[2])
    study = study_of(plane("2CH", across, point, "1.1"), plane("4CH", tilted(heart, 0), point, "1.2"))
    assert heart_centre(heart, study).rule == MOTION


@pytest.mark.parametrize("cosines", [[0.0] * 6, [1.0, 0, 0, 1, 0, 0], [1.0, 0, 0]])
def test_a_header_without_a_usable_orientation_is_passed_over(
    cosines: list[float], heart: CineVolume
) -> None:
    point = heart.geometry.position_mm(3, 60.0, 60.0)
    broken, sound = (
        plane("2CH", tilted(heart, 80), point, "1.1"),
        plane("4CH", tilted(heart, 0), point, "1.2"),
    )
    broken.header.ImageOrientationPatient = cosines
    assert heart_centre(heart, study_of(broken, sound)).rule == MOTION


def test_the_crop_is_kept_inside_the_image(heart: CineVolume) -> None:
    moved = replace(heart, voxels=np.roll(heart.voxels, 40, axis=2))
    centre = heart_centre(moved, margin_mm=100.0)
    assert centre.row == pytest.approx(128 - 1 - 50)


def test_a_heart_that_does_not_move_is_looked_for_in_the_middle(heart: CineVolume) -> None:
    still = replace(heart, voxels=np.zeros_like(heart.voxels))
    centre = heart_centre(still)
    assert (centre.row, centre.column) == (63.5, 63.5)
    assert "nothing moves" in centre.rule
    assert centre.guessed
