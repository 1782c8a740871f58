"""Simple measures of motion: what they measure, and what can be made of them."""

import numpy as np
import pytest

from models.evaluation.figures import figures_of
from models.evaluation.judgement import judge
from models.evaluation.motion import DISC_MM, MEASURES, baseline, ejection, measured, motion, otsu
from models.examples import Examples
from pipeline.preprocessing import Preprocessing
from tests.models.verdicts import FEW, answers, many


def beating(radii: list[float], size: int = 32) -> np.ndarray:
    """A bright disc of `radii` pixels, one per phase, on grey; three slices."""
    row, column = np.mgrid[:size, :size] - (size - 1) / 2
    discs = [np.where(np.hypot(row, column) <= radius, 0.9, 0.2) for radius in radii]
    return np.repeat(np.array(discs)[:, None], 3, axis=1)


def test_the_ejection_is_the_share_of_blood_that_is_gone() -> None:
    cine = beating([10.2, 8.0, 6.1, 8.0])
    counts = [(one[0] > 0.5).sum() for one in cine]
    assert ejection(cine, 2.0) == pytest.approx(1 - counts[2] / counts[0])
    assert ejection(beating([9.0, 9.0]), 2.0) == 0.0
    assert ejection(np.zeros((4, 2, 16, 16)), 2.0) == 0.0


def test_the_motion_is_the_mean_standard_deviation_within_the_disc() -> None:
    cine = np.zeros((2, 1, 65, 65))
    cine[1] = 0.4
    assert motion(cine, 2.0) == pytest.approx(0.2)
    outside = np.zeros((2, 1, 65, 65))
    outside[1, :, :, : 32 - int(DISC_MM / 2)] = 1.0
    assert motion(outside, 2.0) == 0.0


def test_otsus_threshold_parts_two_kinds_of_voxels() -> None:
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(0.2, 0.03, 500), rng.normal(0.8, 0.03, 300)])
    assert 0.35 < otsu(values) < 0.65


def test_every_study_is_measured() -> None:
    recipe = Preprocessing(pixels=32, phases=2, slices=3)
    cine = np.stack([beating([9.0, 9.0]), beating([10.0, 6.0])])
    label = np.array([True, False])
    found = measured(Examples(cine, label, "Scar", ["a", "b"], ["1", "2"], recipe))
    assert set(found) == set(MEASURES)
    assert all(values[0] == 0 < values[1] for values in found.values())


@pytest.mark.parametrize("direction", [1, -1])
def test_the_direction_is_learnt_and_the_ranking_is_the_measures_own(direction: int) -> None:
    scored, rng = many(80), np.random.default_rng(2)
    measure = direction * (scored.label + rng.normal(0, 0.7, 80))
    simple = baseline(measure, scored)
    found = float(figures_of(simple, np.ones((1, 80)))["auc"][0])
    ideal = float(
        figures_of(scored.answered(1 / (1 + np.exp(-direction * measure)), 0.5), np.ones((1, 80)))["auc"][0]
    )
    assert found == pytest.approx(ideal, abs=0.02)
    assert ideal > 0.75


@pytest.mark.parametrize("seed", range(5))
def test_a_measure_that_knows_nothing_is_as_good_as_chance_and_not_worse(seed: int) -> None:
    scored = many(200)
    simple = baseline(np.random.default_rng(seed).normal(size=200), scored)
    found = float(figures_of(simple, np.ones((1, 200)))["auc"][0])
    assert 0.47 < found < 0.65


def test_a_measures_mean_probability_is_the_share_of_yes_where_it_knows_nothing() -> None:
    scored = answers([0.5] * 40, [1] * 10 + [0] * 30)
    assert baseline(np.ones(40), scored).probability == pytest.approx(np.full(40, 0.25))


def test_the_network_is_held_against_the_baseline_on_the_same_resamples() -> None:
    scored = many(80, shift=4.0)
    judgement = judge(scored, {"Motion alone": np.random.default_rng(1).normal(size=80)}, FEW)
    simple = judgement.baselines["Motion alone"]
    ahead = simple.behind.differences["auc"]
    assert ahead.value == pytest.approx(judgement.figures["auc"].value - simple.figures["auc"].value)
    assert ahead.low > 0.2
