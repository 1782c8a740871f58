"""The segments lie where the phantom's builder, anatomy and real septa say."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline import CineVolume, Geometry, Study, assemble, find_stack, read_study
from pipeline.aha import LEVELS, RINGS_MM, SEGMENT_NAMES, NoSegments, SegmentMap, segments_of
from pipeline.centre import Centre, heart_centre
from pipeline.phantom import Phantom, Scan, Scar, draw_heart, render
from tests.pipeline.views import plane, study_of, tilted

SCAN = Scan(slices=10, phases=1, matrix=(80, 72), spacing_mm=2.0, breath_mm=0.0, noise=0.0)
ALONE = Study("1.2.3", ())
SEPTAL, LATERAL = {2, 3, 8, 9, 14}, {5, 6, 11, 12, 16}


def phantom(segment: int = 8) -> Phantom:
    """A heart that lies straight in its stack, scarred in one segment."""
    scar = Scar((segment,), severity=0.9, thinning=0.0, brightening=0.1)
    still = {"rotation_deg": 0.0, "twist_deg": 0.0, "drift": (0.0, 0.0), "stack_offset_mm": 0.0}
    return render(replace(draw_heart(3), scar=scar, offset_mm=(0.0, 0.0), **still), SCAN)


def true_centre(made: Phantom) -> Centre:
    row, column = np.mean(made.truth.centres_px, axis=0)
    return Centre(float(row), float(column), "truth")


def named(volume: CineVolume, centre: Centre, study: Study = ALONE) -> SegmentMap:
    found = segments_of(volume, study, centre)
    assert isinstance(found, SegmentMap), found
    return found


def reason(volume: CineVolume, centre: Centre, study: Study = ALONE) -> str:
    found = segments_of(volume, study, centre)
    assert isinstance(found, NoSegments)
    return found.reason


@pytest.fixture(scope="module")
def straight() -> Phantom:
    return phantom()


@pytest.mark.parametrize("segment", range(1, 17))
def test_a_scar_of_one_segment_is_found_in_that_segment(segment: int) -> None:
    made = phantom(segment)
    labels = named(made.volume, true_centre(made)).labels
    hit = Counter(labels[made.truth.scar[0]].tolist())
    assert hit.most_common(1)[0][0] == segment, SEGMENT_NAMES[segment - 1]
    assert hit[segment] > 0.75 * sum(hit.values())


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_hearts_that_lie_as_they_like_are_named_nearly_as_well(seed: int) -> None:
    made = render(draw_heart(seed, scar=True), replace(SCAN, phases=8, noise=0.02))
    labels = named(made.volume, heart_centre(made.volume)).labels
    inside = labels[made.truth.scar[0]]
    right = np.isin(inside, made.truth.segments).mean()
    everywhere = np.isin(labels[made.truth.myocardium[0]], made.truth.segments).mean()
    assert right > 0.6
    assert right > 2 * everywhere


def turned(volume: CineVolume, how: Callable[[NDArray[np.generic]], NDArray[np.generic]]) -> CineVolume:
    """The same planes with their pixels in another order: the content stays where it is in the patient."""
    geometry = volume.geometry
    rows, columns = volume.voxels.shape[2:]
    row, column = np.mgrid[:rows, :columns]
    row, column = how(row), how(column)
    corners = [(row[at], column[at]) for at in ((0, 0), (1, 0), (0, 1))]
    places = np.array(
        [[geometry.position_mm(k, *at) for at in corners] for k in range(len(geometry.origins_mm))]
    )
    down, right = places[0, 1] - places[0, 0], places[0, 2] - places[0, 0]
    steps = [float(np.linalg.norm(step)) for step in (down, right)]
    directions = (geometry.directions[0], tuple(down / steps[0]), tuple(right / steps[1]))
    moved = Geometry(tuple(map(tuple, places[:, 0])), (geometry.spacing_mm[0], *steps), directions)  # type: ignore[arg-type]
    voxels = np.stack([[how(image) for image in phase] for phase in volume.voxels])
    return replace(volume, voxels=np.ascontiguousarray(voxels), geometry=moved)


@pytest.mark.parametrize(
    "how",
    [np.fliplr, np.flipud, np.transpose, np.rot90, lambda image: np.rot90(image, 2)],
    ids=["mirrored", "upside down", "transposed", "turned", "half turned"],
)
def test_the_order_of_the_pixels_does_not_matter(
    straight: Phantom, how: Callable[[NDArray[np.generic]], NDArray[np.generic]]
) -> None:
    plain = named(straight.volume, true_centre(straight)).labels
    at = how(np.arange(plain[0].size).reshape(plain[0].shape))
    row, column = (round(x) for x in straight.truth.centres_px[5])
    middle = np.argwhere(at == row * plain.shape[2] + column)[0]
    here = named(straight.volume, Centre(row, column, "")).labels
    there = named(turned(straight.volume, how), Centre(*map(float, middle), "")).labels
    assert np.mean([how(one) == other for one, other in zip(here, there, strict=True)]) > 0.998


@pytest.mark.parametrize(("above", "below"), [(1, 13), (2, 8), (7, 13), (4, 15), (10, 15)])
def test_walls_of_the_same_side_lie_below_one_another(straight: Phantom, above: int, below: int) -> None:
    centre = Centre(40.0, 36.0, "")
    labels = named(straight.volume, centre).labels
    middles = [
        np.argwhere(labels == wall)[:, 1:].mean(axis=0) - (centre.row, centre.column)
        for wall in (above, below)
    ]
    angles = [np.degrees(np.arctan2(*middle)) for middle in middles]
    assert angles[0] == pytest.approx(angles[1], abs=3)


def test_levels_are_thirds_of_the_stacks_length(straight: Phantom) -> None:
    assert named(straight.volume, true_centre(straight)).levels == (
        *("basal",) * 3,
        *("mid",) * 4,
        *("apical",) * 3,
    )


def test_slices_that_are_missing_leave_a_hole_and_do_not_move_the_others(straight: Phantom) -> None:
    kept = [0, 1, 2, 8, 9]
    volume, geometry = straight.volume, straight.volume.geometry
    holed = replace(
        volume,
        voxels=volume.voxels[:, kept],
        geometry=replace(geometry, origins_mm=tuple(geometry.origins_mm[k] for k in kept)),
        trigger_ms=tuple(volume.trigger_ms[k] for k in kept),
        rr_ms=tuple(volume.rr_ms[k] for k in kept),
        sources=tuple(tuple(row[k] for k in kept) for row in volume.sources),
    )
    found = named(holed, true_centre(straight))
    assert found.levels == ("basal", "basal", "basal", "apical", "apical")
    assert set(np.unique(found.labels)) == {0, *range(1, 7), *range(13, 17)}


def test_the_ring_has_the_radii_that_are_stated(straight: Phantom) -> None:
    centre = Centre(40.3, 36.2, "")
    found = named(straight.volume, centre)
    rows, columns = np.mgrid[:80, :72]
    distance = 2.0 * np.hypot(rows - centre.row, columns - centre.column)
    for level, plane_ in zip(found.levels, found.labels, strict=True):
        inner, outer = RINGS_MM[level]
        assert ((plane_ > 0) == ((distance >= inner) & (distance <= outer))).all()


def test_the_cap_of_the_apex_is_never_named(straight: Phantom) -> None:
    assert set(np.unique(named(straight.volume, true_centre(straight)).labels)) == set(range(17))


def test_the_map_cannot_be_changed(straight: Phantom) -> None:
    with pytest.raises(ValueError, match="read-only"):
        named(straight.volume, true_centre(straight)).labels[0, 0, 0] = 1


def test_where_long_axis_views_cross_every_slice_has_its_own_centre(straight: Phantom) -> None:
    volume = straight.volume
    lean = np.asarray(volume.geometry.directions[0]) + 0.2 * np.asarray(volume.geometry.directions[2])
    study = study_of(
        plane("2CH", np.cross(lean, tilted(volume, 0)), volume.geometry.position_mm(5, 40, 36), "1.1"),
        plane("4CH", np.cross(lean, tilted(volume, 90)), volume.geometry.position_mm(5, 40, 36), "1.2"),
    )
    labels = named(volume, Centre(0.0, 0.0, "nowhere", guessed=True), study).labels
    middles = np.array([np.argwhere(image).mean(axis=0) for image in labels])
    assert middles[:, 0] == pytest.approx(40, abs=0.3)
    assert np.diff(middles[:, 1]) == pytest.approx(0.2 * 10 / 2.0, abs=0.3)


def test_a_stack_far_from_the_axis_of_the_long_axis_views_is_refused(straight: Phantom) -> None:
    volume = straight.volume
    lean = np.asarray(volume.geometry.directions[0]) + 0.7 * np.asarray(volume.geometry.directions[2])
    point = volume.geometry.position_mm(5, 40, 36)
    study = study_of(
        plane("2CH", np.cross(lean, tilted(volume, 0)), point, "1.1"),
        plane("4CH", np.cross(lean, tilted(volume, 90)), point, "1.2"),
    )
    assert reason(volume, true_centre(straight), study) == (
        "the slices lie 35 degrees off the short axis that the 2- and 4-chamber views show"
    )


def stretched(volume: CineVolume, kept: list[int], step_mm: float) -> CineVolume:
    """Some of the slices, at another distance."""
    geometry = volume.geometry
    axis, first = np.asarray(geometry.directions[0]), np.asarray(geometry.origins_mm[0])
    origins = tuple(tuple((first + axis * step_mm * k).tolist()) for k in range(len(kept)))
    return replace(
        volume,
        voxels=volume.voxels[:, kept],
        geometry=replace(geometry, origins_mm=origins, spacing_mm=(step_mm, *geometry.spacing_mm[1:])),
        trigger_ms=tuple(volume.trigger_ms[k] for k in kept),
        rr_ms=tuple(volume.rr_ms[k] for k in kept),
        sources=tuple(tuple(row[k] for k in kept) for row in volume.sources),
    )


def test_three_slices_one_of_each_level_are_enough(straight: Phantom) -> None:
    assert named(stretched(straight.volume, [1, 5, 8], 30.0), true_centre(straight)).levels == LEVELS


@pytest.mark.parametrize(
    ("kept", "step_mm", "says"),
    [
        ([2, 7], 40.0, "2 slices do not make three levels"),
        (list(range(5)), 10.0, "the stack is 50 mm long"),
        (list(range(10)), 16.0, "the stack is 160 mm long"),
    ],
)
def test_a_stack_that_cannot_hold_a_ventricle_is_refused(
    straight: Phantom, kept: list[int], step_mm: float, says: str
) -> None:
    assert says in reason(stretched(straight.volume, kept, step_mm), true_centre(straight))


def test_a_heart_on_the_other_side_of_the_chest_is_refused(straight: Phantom) -> None:
    geometry = straight.volume.geometry
    mirror = np.array([-1.0, 1.0, 1.0])
    situs = Geometry(
        tuple(map(tuple, (np.array(geometry.origins_mm) * mirror).tolist())),  # type: ignore[arg-type]
        geometry.spacing_mm,
        tuple(map(tuple, (np.array(geometry.directions) * mirror).tolist())),  # type: ignore[arg-type]
    )
    assert "usual place" in reason(replace(straight.volume, geometry=situs), true_centre(straight))


def test_without_a_heart_in_sight_there_are_no_segments(straight: Phantom) -> None:
    guess = replace(true_centre(straight), guessed=True)
    assert "where the left ventricle is" in reason(straight.volume, guess)


@pytest.mark.parametrize("off", [(-20.0, 0.0), (20.0, 0.0), (0.0, -15.0), (0.0, 15.0)])
def test_a_ring_that_leaves_the_images_is_refused(straight: Phantom, off: tuple[float, float]) -> None:
    centre = Centre(39.5 + off[0], 35.5 + off[1], "")
    assert "leaves the images" in reason(straight.volume, centre)


# (slice, row, column) from 0, read off the images: the middle of the septum, and the wall across from it.
WALLS = {
    "SC-HF-I-4": ((3, 122, 104), (3, 119, 155)),
    "SC-HF-I-1": ((3, 156, 132), (3, 112, 130)),
    "bivme": ((2, 97, 111), (2, 108, 153)),
}


@pytest.mark.data
@pytest.mark.parametrize("name", WALLS)
def test_real_septa_lie_where_the_convention_says(name: str, data_dir: Path) -> None:
    folder = data_dir / "bivme" if name == "bivme" else data_dir / "sunnybrook" / name / "dicom"
    study = read_study(sorted(folder.rglob("*.dcm")))
    volume = assemble(study, find_stack(study.facts), allow_missing=False)
    labels = named(volume, heart_centre(volume, study), study).labels
    septum, wall = (int(labels[place]) for place in WALLS[name])
    assert septum in SEPTAL
    assert wall in LATERAL
