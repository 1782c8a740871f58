"""To the network's grid and back, against volumes whose answer is known by arithmetic."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import CineVolume, Geometry, IncompleteCine, PlaneSource, UnreadableInstance
from pipeline.centre import Centre
from pipeline.prepare import Preprocessing, prepare, restore, to_grid

RECIPE = Preprocessing()


def volume_of(
    voxels: np.ndarray, spacing_mm: tuple[float, float] = (2.0, 2.0), *, trigger_ms: list[float] | None = None
) -> CineVolume:
    phases, slices = voxels.shape[:2]
    times = tuple(trigger_ms or [1000.0 * phase / phases for phase in range(phases)])
    source = PlaneSource("1.2.840.10008.5.1.4.1.1.4", "1.2.3", "1.2.4")
    return CineVolume(
        voxels=voxels.astype(np.float32),
        geometry=Geometry(
            tuple((0.0, 0.0, 8.0 * index) for index in range(slices)),
            (8.0, *spacing_mm),
            ((0, 0, 1), (0, 1, 0), (1, 0, 0)),
        ),
        trigger_ms=(times,) * slices,
        rr_ms=(1000.0,) * slices,
        sources=((source,) * slices,) * phases,
        study_instance_uid="1.2.5",
        frame_of_reference_uid="1.2.6",
    )


def noise(phases: int = 20, slices: int = 10, rows: int = 80, columns: int = 80) -> np.ndarray:
    return np.random.default_rng(1).normal(100, 20, (phases, slices, rows, columns))


def blob(
    shape: tuple[int, ...], row: float, column: float, spacing_mm: tuple[float, float], sigma_mm: float = 8.0
) -> np.ndarray:
    rows, columns = np.mgrid[: shape[2], : shape[3]]
    away_mm = ((rows - row) * spacing_mm[0]) ** 2 + ((columns - column) * spacing_mm[1]) ** 2
    plane = np.exp(-away_mm / (2 * sigma_mm**2))
    return np.broadcast_to(plane, shape)


def centroid(plane: np.ndarray) -> tuple[float, float]:
    rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]]
    return float((rows * plane).sum() / plane.sum()), float((columns * plane).sum() / plane.sum())


def middle(volume: CineVolume) -> Centre:
    rows, columns = volume.voxels.shape[2:]
    return Centre((rows - 1) / 2, (columns - 1) / 2, "middle")


def test_a_volume_already_on_the_grid_is_only_windowed() -> None:
    volume = volume_of(noise(rows=64, columns=64))
    prepared = prepare(volume, RECIPE, middle(volume))
    low, high = np.percentile(volume.voxels, (0.5, 99.5))
    assert prepared.array == pytest.approx(np.clip((volume.voxels - low) / (high - low), 0, 1), abs=1e-4)
    assert prepared.array.dtype == np.float32
    assert prepared.notes == ()


def test_the_window_puts_nought_and_one_at_its_percentiles() -> None:
    volume = volume_of(noise())
    array = prepare(volume, RECIPE, middle(volume)).array
    assert (array == 0).mean() == pytest.approx(0.005, abs=5e-4)
    assert (array == 1).mean() == pytest.approx(0.005, abs=5e-4)


def test_scale_and_offset_of_the_scanners_numbers_do_not_matter() -> None:
    volume = volume_of(noise())
    other = replace(volume, voxels=(volume.voxels * 7 - 300).astype(np.float32))
    arrays = [prepare(one, RECIPE, middle(one)).array for one in (volume, other)]
    assert arrays[0] == pytest.approx(arrays[1], abs=1e-4)


def test_a_blob_lands_where_its_distance_from_the_centre_says() -> None:
    volume = volume_of(blob((20, 10, 100, 120), 52.0, 70.0, (1.25, 1.6)), (1.25, 1.6))
    grid = prepare(volume, RECIPE, Centre(50.0, 60.0, "given")).array
    row, column = centroid(grid[0, 0])
    assert row == pytest.approx(31.5 + 2.0 * 1.25 / 2.0, abs=0.1)
    assert column == pytest.approx(31.5 + 10.0 * 1.6 / 2.0, abs=0.1)


@pytest.mark.parametrize(
    ("slices", "chosen"),
    [
        (10, tuple(range(10))),
        (12, tuple(range(1, 11))),
        (13, tuple(range(1, 11))),
        (8, (0, 0, 1, 2, 3, 4, 5, 6, 7, 7)),
        (6, (0, 0, 0, 1, 2, 3, 4, 5, 5, 5)),
    ],
)
def test_the_middle_ten_slices_are_taken_and_edges_repeated(slices: int, chosen: tuple[int, ...]) -> None:
    volume = volume_of(noise(slices=slices, rows=64, columns=64))
    prepared = prepare(volume, RECIPE, middle(volume))
    assert prepared.slices == chosen
    raw = to_grid(volume.voxels, prepared, volume)
    assert raw == pytest.approx(volume.voxels[:, chosen], abs=1e-3)
    assert bool(prepared.notes) == (slices != 10)


def test_five_slices_are_refused_with_the_number_needed() -> None:
    volume = volume_of(noise(slices=5))
    with pytest.raises(IncompleteCine, match="5 slices; at least 6"):
        prepare(volume, RECIPE, middle(volume))


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_blank_images_are_refused(value: float) -> None:
    volume = volume_of(np.full((20, 10, 64, 64), value))
    with pytest.raises(UnreadableInstance, match="the images show nothing"):
        prepare(volume, RECIPE, middle(volume))


@pytest.mark.parametrize("phases", [12, 20, 25, 30])
def test_a_curve_over_the_cycle_is_read_at_the_networks_moments(phases: int) -> None:
    moments = np.arange(phases) / phases
    curve = 100 + 50 * np.cos(2 * np.pi * moments)
    volume = volume_of(np.broadcast_to(curve[:, None, None, None], (phases, 6, 64, 64)))
    prepared = replace(prepare(volume_of(noise(phases, 6)), RECIPE, middle(volume)))
    raw = to_grid(volume.voxels, prepared, volume)[:, 5, 32, 32]
    expected = 100 + 50 * np.cos(2 * np.pi * np.arange(20) / 20)
    assert raw == pytest.approx(expected, abs=50 * (np.pi / phases) ** 2 / 2 + 1e-3)


def test_late_and_uneven_trigger_times_are_placed_by_time_and_not_by_number() -> None:
    times = [40.0, 90.0, 300.0, 350.0, 500.0, 610.0, 700.0, 905.0]
    curve = 100 + 50 * np.abs(np.asarray(times) / 1000 - 0.5)
    volume = volume_of(np.broadcast_to(curve[:, None, None, None], (8, 6, 64, 64)), trigger_ms=times)
    prepared = prepare(volume_of(noise(8, 6), trigger_ms=times), RECIPE, middle(volume))
    raw = to_grid(volume.voxels, prepared, volume)[:, 5, 32, 32]
    assert raw == pytest.approx(100 + 50 * np.abs(np.arange(20) / 20 - 0.5), abs=3.0)
    assert raw[0] == pytest.approx(curve[7] + (curve[0] - curve[7]) * 95 / 135, abs=1e-3)


@pytest.mark.parametrize(
    "times", [[0.0] * 8, [70.0, 60, 50, 40, 30, 20, 10, 0], [float("nan")] * 8, list(range(0, 16000, 2000))]
)
def test_impossible_trigger_times_count_as_even_steps(times: list[float]) -> None:
    given, even = volume_of(noise(8, 6), trigger_ms=times), volume_of(noise(8, 6))
    arrays = [prepare(one, RECIPE, middle(one)).array for one in (given, even)]
    assert np.array_equal(*arrays)


@settings(max_examples=8, deadline=None)
@given(
    spacing_mm=st.tuples(st.floats(0.9, 2.6), st.floats(0.9, 2.6)),
    away_mm=st.tuples(st.floats(-30, 30), st.floats(-30, 30)),
    slices=st.integers(6, 14),
)
def test_a_blob_comes_back_to_its_pixel(
    spacing_mm: tuple[float, float], away_mm: tuple[float, float], slices: int
) -> None:
    shape = (8, slices, 144, 144)
    row, column = (72 + away_mm[0] / spacing_mm[0], 70 + away_mm[1] / spacing_mm[1])
    volume = volume_of(blob(shape, row, column, spacing_mm) * 100, spacing_mm)
    prepared = prepare(volume, RECIPE, Centre(72.0, 70.0, "given"))
    there = to_grid(volume.voxels, prepared, volume)
    back = restore(there, prepared, volume)
    seen = prepared.slices[4]
    assert back.shape == volume.voxels.shape
    assert back.dtype == np.float32
    assert centroid(back[3, seen] ** 4) == pytest.approx((row, column), abs=0.5)
    assert np.abs(back[:, seen] - volume.voxels[:, seen]).max() < 6.0


def test_outside_the_crop_and_in_unseen_slices_there_is_nought() -> None:
    volume = volume_of(noise(slices=12, rows=100, columns=100))
    prepared = prepare(volume, RECIPE, middle(volume))
    back = restore(np.ones_like(prepared.array), prepared, volume)
    assert not back[:, [0, 11]].any()
    assert not back[:, :, :17].any()
    assert back[:, 1:11, 19:81, 19:81] == pytest.approx(1.0)


def test_repeated_slices_do_not_blur_the_way_back() -> None:
    volume = volume_of(noise(slices=6))
    prepared = prepare(volume, RECIPE, middle(volume))
    maps = np.zeros_like(prepared.array)
    maps[:] = np.arange(10)[None, :, None, None]
    back = restore(maps, prepared, volume)
    assert back[0, :, 40, 40].tolist() == [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]


def test_maps_of_another_size_are_refused() -> None:
    volume = volume_of(noise())
    prepared = prepare(volume, RECIPE, middle(volume))
    with pytest.raises(ValueError, match="wanted"):
        restore(prepared.array[:, :5], prepared, volume)
    with pytest.raises(ValueError, match="wanted"):
        to_grid(volume.voxels[:, :5], prepared, volume)


def test_the_recipe_is_known_by_its_digest() -> None:
    assert Preprocessing.from_json(RECIPE.as_json()) == RECIPE
    assert Preprocessing.from_json(RECIPE.as_json()).sha256 == RECIPE.sha256
    assert replace(RECIPE, spacing_mm=1.9).sha256 != RECIPE.sha256
    assert json.loads(RECIPE.as_json())["phases"] == 20


@pytest.mark.parametrize(
    "changes",
    [
        {"spacing_mm": 0},
        {"pixels": 64.5},
        {"slices": True},
        {"low_percentile": 99.9},
        {"phases": "20"},
        {"x": 1},
    ],
)
def test_a_recipe_that_cannot_be_right_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Preprocessing.from_json(json.dumps(json.loads(RECIPE.as_json()) | changes))
