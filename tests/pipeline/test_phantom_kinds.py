"""Hearts of each kind show what their kind says, and nothing else."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from pipeline.phantom import Heart, Kind, Phantom, Scan, Variant, draw_heart, draw_kind, render
from pipeline.phantom.identity import study_uid
from pipeline.phantom.ventricle import regional_motion, solve

SMALL = Scan(slices=6, phases=10, matrix=(80, 80), spacing_mm=3.0, slice_distance_mm=13.0)
QUIET = replace(SMALL, noise=0.0, breath_mm=0.0)
SEEDS = range(40)


@cache
def seen(kind: Kind, seed: int = 7) -> Phantom:
    return render(draw_kind(kind, seed), QUIET)


def ejection_fractions(kind: Kind) -> np.ndarray:
    hearts = [draw_kind(kind, seed) for seed in SEEDS]
    return np.array([1 - float(solve(heart).cavity_ml(np.array(1.0))) / heart.edv_ml for heart in hearts])


def slowest_share(heart: Heart) -> float:
    """The least local motion anywhere in the wall, against the wall's mean."""
    zeta, angle = np.linspace(0.05, 0.95, 30)[:, None], np.arange(0.0, 360.0, 4.0)[None]
    motion, _ = regional_motion(heart, zeta, angle)
    return float(motion.min() / motion.mean())


def test_hearts_without_a_variant_keep_the_uids_they_always_had() -> None:
    scan = Scan(slices=6, phases=12, matrix=(64, 56), spacing_mm=3.0)
    assert study_uid(draw_heart(0), scan) == "2.25.128796559223552371728697069685021736722"
    assert study_uid(draw_heart(3), scan) == "2.25.31485900146302942827361977401347122758"


def test_every_variant_is_a_study_of_its_own() -> None:
    heart = draw_heart(0)
    variants = [Variant(), Variant(band=True), Variant(backwards=True), Variant(weak=(1,), weakness=0.5)]
    assert len({study_uid(replace(heart, variant=one), SMALL) for one in variants}) == 4


@pytest.mark.parametrize("kind", Kind)
def test_a_region_moves_less_in_exactly_the_kinds_that_say_so(kind: Kind) -> None:
    slowest = [slowest_share(draw_kind(kind, seed)) for seed in SEEDS]
    assert (max(slowest) < 0.6) if kind.moves_abnormally else (min(slowest) > 0.6)


@pytest.mark.parametrize("kind", Kind)
def test_there_is_a_lesion_in_exactly_the_kinds_that_say_so(kind: Kind) -> None:
    assert seen(kind).truth.scarred is kind.scarred
    assert bool(seen(kind).truth.scar.any()) is kind.scarred


def test_a_texture_lesion_is_its_healthy_twin_but_for_the_signal_in_the_scar() -> None:
    healthy, textured = seen(Kind.HEALTHY), seen(Kind.TEXTURE)
    assert textured.truth.volumes_ml == healthy.truth.volumes_ml
    assert np.array_equal(textured.truth.myocardium, healthy.truth.myocardium)
    brighter = textured.volume.voxels[textured.truth.scar] / healthy.volume.voxels[textured.truth.scar]
    assert np.median(brighter) > 1.2
    changed = textured.volume.voxels != healthy.volume.voxels
    assert changed[~textured.truth.myocardium & ~textured.truth.cavity].mean() < 0.02


def test_a_motion_lesion_is_as_bright_and_as_thick_as_the_wall_about_it() -> None:
    scar = draw_kind(Kind.MOTION, 7).scar
    assert scar is not None
    assert (scar.brightening, scar.thinning) == (0.0, 0.0)
    assert scar.severity >= 0.65


def test_global_function_tells_only_the_confounder_that_is_made_of_it() -> None:
    healthy, low = ejection_fractions(Kind.HEALTHY), ejection_fractions(Kind.LOW_EF)
    assert low.max() < 0.36
    for kind in (Kind.MOTION, Kind.TEXTURE, Kind.BOTH, Kind.WMA):
        assert abs(np.median(ejection_fractions(kind)) - np.median(healthy)) < 0.08


def test_ballooning_goes_all_the_way_round_and_a_lesion_does_not() -> None:
    angle = np.arange(0.0, 360.0, 4.0)[None]
    for seed in SEEDS:
        ring, _ = regional_motion(draw_kind(Kind.WMA, seed), np.array([[0.85]]), angle)
        assert ring.max() < 0.55
        for zeta in (0.2, 0.5, 0.85):
            sector, _ = regional_motion(draw_kind(Kind.MOTION, seed), np.array([[zeta]]), angle)
            assert sector.max() > 0.75


def test_the_band_lies_outside_a_crop_of_64_mm_and_changes_nothing_within() -> None:
    heart = draw_kind(Kind.HEALTHY, 7)
    plain, banded = (
        render(replace(heart, variant=Variant(band=band)), QUIET).volume.voxels for band in (False, True)
    )
    columns = np.flatnonzero((plain != banded).any(axis=(0, 1, 2)))
    right_mm = (columns - (SMALL.matrix[1] - 1) / 2) * SMALL.spacing_mm - heart.offset_mm[0]
    assert 70 < right_mm.min() < 78
    assert banded[..., columns].mean() > 2 * plain[..., columns].mean()


def test_a_cycle_played_backwards_is_the_same_images_in_another_order() -> None:
    heart = draw_kind(Kind.HEALTHY, 7)
    back = render(replace(heart, variant=Variant(backwards=True)), SMALL)
    forth = render(heart, SMALL)
    order = [0, *range(SMALL.phases - 1, 0, -1)]
    assert np.array_equal(back.volume.voxels, forth.volume.voxels[order])
    assert np.array_equal(back.truth.cavity, forth.truth.cavity[order])
    assert back.volume.trigger_ms == forth.volume.trigger_ms
    assert (forth.truth.es_phase, back.truth.es_phase) in {(3, 7), (4, 6)}
