"""Simulated hearts: what is said to be true of them is true of their pixels."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from pipeline.phantom import Heart, Scan, Scar, Truth, draw_heart, render
from pipeline.phantom.motion import contraction
from pipeline.phantom.segments import TERRITORIES, adjacent, extent, grow, weight
from pipeline.phantom.surfaces import layers
from pipeline.phantom.ventricle import solve

SMALL = Scan(slices=6, phases=12, matrix=(64, 56), spacing_mm=3.0)
FINE = Scan(
    slices=62,
    phases=4,
    matrix=(112, 112),
    spacing_mm=1.0,
    slice_distance_mm=2.0,
    thickness_mm=2.0,
    noise=0.0,
    breath_mm=0.0,
    subplanes=1,
)
CUBIC_MM = 2.0
FULL_CONTRACTION = np.array(1.0)


@cache
def finely_seen(seed: int, scarred: bool) -> Truth:
    return render(draw_heart(seed, scar=scarred), FINE).truth


def ejection_fraction(heart: Heart) -> float:
    return 1 - float(solve(heart).cavity_ml(FULL_CONTRACTION)) / heart.edv_ml


def area_under_curve(scores: np.ndarray, positive: np.ndarray) -> float:
    ranks = scores.argsort().argsort() + 1
    hits, misses = positive.sum(), (~positive).sum()
    area = (ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * misses)
    return float(max(area, 1 - area))


def test_a_seed_always_gives_the_same_study() -> None:
    assert render(draw_heart(11), SMALL).volume.digest == render(draw_heart(11), SMALL).volume.digest


def test_other_seeds_give_other_hearts() -> None:
    assert len({render(draw_heart(seed), SMALL).volume.digest for seed in range(4)}) == 4


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("scarred", [False, True])
def test_the_cavity_counted_in_voxels_has_the_volume_that_is_claimed(seed: int, scarred: bool) -> None:
    truth = finely_seen(seed, scarred)
    counted = truth.cavity.sum(axis=(1, 2, 3)) * CUBIC_MM / 1000
    assert counted == pytest.approx(truth.volumes_ml, rel=0.03)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("scarred", [False, True])
def test_the_myocardium_keeps_its_volume_through_the_beat(seed: int, scarred: bool) -> None:
    walls = finely_seen(seed, scarred).myocardium.sum(axis=(1, 2, 3)) * CUBIC_MM / 1000
    assert walls == pytest.approx(np.full(FINE.phases, walls.mean()), rel=0.03)
    assert 60 < walls.mean() < 260


def test_the_drawn_ejection_fraction_is_met() -> None:
    hearts = [draw_heart(seed) for seed in range(60)]
    drawn = [heart.ejection_fraction for heart in hearts]
    assert [ejection_fraction(heart) for heart in hearts] == pytest.approx(drawn, abs=1e-6)


def test_the_cavity_is_largest_at_the_r_wave_and_smallest_after_a_third_of_the_cycle() -> None:
    truths = [render(draw_heart(seed), replace(SMALL, phases=25)).truth for seed in range(6)]
    assert {truth.ed_phase for truth in truths} == {0}
    assert all(0.28 <= truth.es_phase / 25 <= 0.42 for truth in truths)
    assert all(truth.ef == pytest.approx(1 - truth.esv_ml / truth.edv_ml) for truth in truths)


def test_filling_is_fast_then_slow_then_finished_by_the_atrium() -> None:
    curve = contraction(np.array([0.0, 0.35, 0.50, 0.62, 0.80, 0.999]), systole=0.35, early_share=0.7)
    empty, squeezed, fast, rested, waiting, full = curve
    assert (empty, squeezed) == (0.0, 1.0)
    assert full == pytest.approx(0.0, abs=1e-3)
    assert squeezed - fast > 0.3
    assert 0 <= rested - waiting < 0.07
    assert waiting - full > 0.2


def test_global_function_and_size_hardly_tell_who_has_a_scar() -> None:
    hearts = [draw_heart(seed) for seed in range(400)]
    scarred = np.array([heart.scar is not None for heart in hearts])
    function = np.array([ejection_fraction(heart) for heart in hearts])
    size = np.array([heart.edv_ml for heart in hearts])
    assert 0.4 < scarred.mean() < 0.6
    assert area_under_curve(function, scarred) < 0.7
    assert area_under_curve(size, scarred) < 0.6
    assert (function[~scarred] < 0.45).mean() > 0.1


def test_scarred_wall_moves_and_thickens_less_than_the_rest() -> None:
    angle, zeta = np.meshgrid(np.arange(0.0, 360.0, 3.0), np.linspace(0.05, 0.9, 18))
    for seed in range(12):
        ventricle = solve(draw_heart(seed, scar=True))
        still = layers(ventricle, zeta, angle, np.array(0.0))
        squeezed = layers(ventricle, zeta, angle + 0.0, FULL_CONTRACTION)
        thickening = (squeezed.epi - squeezed.endo) / (still.epi - still.endo)
        inward = 1 - squeezed.endo / still.endo
        scar, healthy = squeezed.scar > 0.95, squeezed.scar < 0.05
        assert thickening[scar].mean() < thickening[healthy].mean() - 0.1
        assert inward[scar].mean() < 0.5 * inward[healthy].mean()


def test_a_scar_is_where_its_segment_is() -> None:
    anteroseptal = Scar(segments=(8,), severity=0.9, thinning=0.2, brightening=0.1)
    heart = replace(
        draw_heart(3),
        scar=anteroseptal,
        rotation_deg=0.0,
        twist_deg=0.0,
        drift=(0.0, 0.0),
        stack_offset_mm=0.0,
    )
    truth = render(heart, replace(SMALL, breath_mm=0.0, slices=9, slice_distance_mm=10.0)).truth
    marked = truth.scar[0].sum(axis=(1, 2))
    share = marked / truth.myocardium[0].sum(axis=(1, 2)).clip(1)
    middle = int(share.argmax())
    rows, columns = truth.scar[0, middle].nonzero()
    row, column = truth.centres_px[middle]
    angles = np.degrees(np.arctan2(row - rows, columns - column)) % 360
    assert truth.segments == (8,)
    assert angles.mean() == pytest.approx(150, abs=8)
    assert np.ptp(angles) < 80
    assert share[middle] == pytest.approx(60 / 360, abs=0.06)
    assert marked[[0, 1, -1]].tolist() == [0, 0, 0]


@pytest.mark.parametrize("seed", range(4))
def test_the_scar_lies_within_the_wall_and_the_wall_round_the_cavity(seed: int) -> None:
    truth = render(draw_heart(seed, scar=True), SMALL).truth
    assert truth.scarred
    assert truth.scar.any()
    assert not (truth.scar & ~truth.myocardium).any()
    assert not (truth.cavity & truth.myocardium).any()


def test_a_healthy_heart_has_no_scar() -> None:
    truth = render(draw_heart(5, scar=False), SMALL).truth
    assert not truth.scarred
    assert not truth.scar.any()


def test_voxels_are_whole_numbers_that_every_layout_can_store() -> None:
    voxels = render(draw_heart(6), SMALL).volume.voxels
    assert voxels.dtype == np.float32
    assert np.array_equal(voxels, np.rint(voxels))
    assert voxels.min() >= 0
    assert voxels.max() <= 2047


@pytest.mark.parametrize("seed", range(4))
def test_blood_is_bright_and_muscle_grey_as_in_steady_state_cine(seed: int) -> None:
    phantom = render(draw_heart(seed), SMALL)
    voxels, truth = phantom.volume.voxels, phantom.truth
    assert 2.2 < np.median(voxels[truth.cavity]) / np.median(voxels[truth.myocardium]) < 4.5
    assert np.percentile(voxels, 10) < 0.5 * np.median(voxels[truth.myocardium])


def test_noise_is_as_strong_as_asked_and_never_negative() -> None:
    heart = draw_heart(8)
    clean, noisy = (render(heart, replace(SMALL, noise=noise)).volume.voxels for noise in (0.0, 0.04))
    blood = clean > 0.8 * heart.signals.blood
    assert (noisy - clean)[blood].std() == pytest.approx(0.04 * heart.signals.blood, rel=0.1)


def test_the_stack_runs_from_the_base_to_the_apex_in_the_usual_direction() -> None:
    usual = np.array((0.74, -0.53, -0.42)) / np.linalg.norm((0.74, -0.53, -0.42))
    for seed in range(20):
        geometry = render(draw_heart(seed), Scan(slices=2, phases=1, matrix=(16, 16))).volume.geometry
        steps = np.diff(np.array(geometry.origins_mm), axis=0)[0]
        assert np.degrees(np.arccos(steps @ usual / np.linalg.norm(steps))) < 25
        assert geometry.directions[0] @ steps == pytest.approx(geometry.spacing_mm[0], abs=1e-4)


def test_the_top_of_the_image_faces_the_head_and_its_left_the_patients_right_and_front() -> None:
    for seed in range(20):
        _, down, right = render(
            draw_heart(seed), Scan(slices=2, phases=1, matrix=(16, 16))
        ).volume.geometry.directions
        assert down[2] < -0.8
        assert right[0] > 0.3
        assert right[1] > 0.3


def test_every_place_of_the_wall_belongs_to_the_seventeen_segments_exactly_once() -> None:
    angle, zeta = np.meshgrid(np.arange(0.0, 360.0, 2.5), np.linspace(0.0, 1.2, 49))
    shares = sum(weight((segment,), zeta, angle) for segment in range(1, 18))
    assert shares == pytest.approx(np.ones_like(zeta), abs=1e-9)


def test_a_scar_grows_connected_within_one_coronary_territory() -> None:
    for seed in range(40):
        segments = grow(np.random.default_rng(seed), 4)
        assert any(set(segments) <= set(territory) for territory in TERRITORIES)
        assert all(any(adjacent(one, other) for other in segments) for one in segments)


def test_neighbours_are_the_segments_that_touch() -> None:
    assert {segment for segment in range(1, 18) if adjacent(1, segment)} == {2, 6, 7}
    assert {segment for segment in range(1, 18) if adjacent(17, segment)} == {13, 14, 15, 16}
    assert {segment for segment in range(1, 18) if adjacent(8, segment)} == {2, 7, 9, 13, 14}


@pytest.mark.parametrize("segment", [0, 18])
def test_there_are_seventeen_segments(segment: int) -> None:
    with pytest.raises(ValueError, match="1 to 17"):
        extent(segment)


@pytest.mark.parametrize("wrong", [{"slices": 0}, {"phases": 0}, {"matrix": (0, 8)}, {"spacing_mm": 0.0}])
def test_a_scan_of_nothing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"at least one|above 0"):
        Scan(**wrong)  # type: ignore[arg-type]
