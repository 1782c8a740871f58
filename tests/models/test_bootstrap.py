"""Intervals: patients are drawn, not studies, and what a resample leaves undefined is counted."""

import numpy as np
import pytest

from models.evaluation.bootstrap import Resampling, estimated, interval, resamples
from models.evaluation.figures import figures_of
from models.evaluation.judgement import figures
from tests.models.verdicts import FEW, answers, many


def test_the_studies_of_a_patient_are_drawn_together_and_as_many_patients_as_there_are() -> None:
    patients = ["a", "b", "a", "c", "a"]
    drawn = np.concatenate(list(resamples(patients, Resampling(300, seed=3))))
    assert drawn.shape == (300, 5)
    assert (drawn[:, 0] == drawn[:, 2]).all()
    assert (drawn[:, 0] == drawn[:, 4]).all()
    assert (drawn[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert drawn[:, 1].mean() == pytest.approx(1, abs=0.15)


def test_equal_seeds_draw_equal_patients() -> None:
    scored = many(60)
    assert figures(scored, FEW) == figures(scored, FEW)
    assert figures(scored, FEW) != figures(scored, Resampling(FEW.count, seed=2))


def test_the_interval_of_a_share_is_the_one_that_statistics_expects() -> None:
    label = [1] * 400
    scored = answers([0.9] * 300 + [0.1] * 100, label)
    found = estimated(lambda weights: figures_of(scored, weights), scored.patients, Resampling(2000, 1))
    half = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    sensitivity = found["sensitivity"]
    assert sensitivity.value == 0.75
    assert (sensitivity.low, sensitivity.high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.008)


def test_ten_studies_of_every_patient_make_nothing_surer() -> None:
    once = answers([0.9, 0.1] * 30, [1, 1] * 30)
    tenfold = answers(
        np.repeat(once.probability, 10), np.repeat(once.label, 10), patients=np.repeat(once.patients, 10)
    )
    one, ten = (figures(each, FEW)["sensitivity"] for each in (once, tenfold))
    assert ten.high - ten.low == pytest.approx(one.high - one.low, abs=0.04)
    careless = answers(tenfold.probability, tenfold.label)
    alone = figures(careless, FEW)["sensitivity"]
    assert alone.high - alone.low < 0.5 * (ten.high - ten.low)


def test_resamples_without_anybody_ill_are_left_out_and_counted() -> None:
    scored = answers([0.9, 0.1, 0.2], [1, 0, 0])
    found = figures(scored, Resampling(1000, seed=1))
    # (2/3)^3 of the resamples miss the one who is ill, (1/3)^3 hold nobody else
    assert found["sensitivity"].degenerate == pytest.approx(1000 * 8 / 27, abs=50)
    assert found["auc"].degenerate == pytest.approx(1000 * 9 / 27, abs=50)
    assert found["brier"].degenerate == 0


def test_an_interval_that_most_resamples_do_not_define_is_none() -> None:
    drawn = np.array([0.5, np.nan, np.nan, np.nan])
    found = interval(0.5, drawn)
    assert found.as_dict() == {"value": 0.5, "low": None, "high": None, "degenerate": 3}
    assert not interval(float("nan"), drawn).known
