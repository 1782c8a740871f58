"""Two networks on the same studies: the bootstrap is paired, and DeLong's test is the one of his paper."""

from math import sqrt

import numpy as np
import pytest
from scipy.stats import norm

from models.errors import NotJudged
from models.evaluation.bootstrap import Resampling
from models.evaluation.judgement import figures
from models.evaluation.pairs import compared, delong
from tests.models.verdicts import FEW, answers, many


def test_delongs_variance_is_the_one_of_the_paper_written_out() -> None:
    one, rng = many(41), np.random.default_rng(3)
    other = one.answered((0.7 * one.probability + 0.3 * rng.random(41)).round(1), 0.5)
    ill, well = np.flatnonzero(one.label), np.flatnonzero(~one.label)
    psi = np.array(
        [
            [[(0.5 * (s[i] == s[j]) + (s[i] > s[j])) for j in well] for i in ill]
            for s in (one.probability, other.probability)
        ],
        float,
    )
    by_ill, by_well = np.cov(psi.mean(axis=2)), np.cov(psi.mean(axis=1))
    covariance = by_ill / len(ill) + by_well / len(well)
    contrast = np.array([1.0, -1.0])
    difference = float(contrast @ psi.mean(axis=(1, 2)))
    error = sqrt(float(contrast @ covariance @ contrast))
    found = delong(one, other)
    assert (found.difference, found.standard_error) == pytest.approx((difference, error), rel=1e-12)
    assert found.p_value == pytest.approx(2 * norm.sf(abs(difference) / error), rel=1e-9)
    assert (found.low, found.high) == pytest.approx(norm.interval(0.95, difference, error), rel=1e-9)


def test_delong_by_hand() -> None:
    one = answers([0.9, 0.3, 0.5, 0.1], [1, 1, 0, 0])  # shares of no below yes: 1, 1/2
    other = answers([0.9, 0.8, 0.5, 0.1], [1, 1, 0, 0])  # 1, 1
    # differences by yes 0, -1/2 and by no -1/2, 0: variance 1/8 each, over two studies each
    assert delong(one, other).difference == -0.25
    assert delong(one, other).standard_error == pytest.approx(sqrt(1 / 16 + 1 / 16))


def test_a_network_does_not_differ_from_itself() -> None:
    scored = many(50)
    found = compared(scored, scored, FEW)
    assert all((one.value, one.low, one.high) == (0, 0, 0) for one in found.differences.values())
    assert found.delong is not None
    assert (found.delong.standard_error, found.delong.p_value) == (0, 1)


def test_what_two_networks_share_does_not_blur_their_difference() -> None:
    one, rng = many(200, seed=4), np.random.default_rng(5)
    close = one.answered(np.clip(one.probability + rng.normal(0, 0.02, 200), 0, 1), 0.5)
    found = compared(one, close, Resampling(400, 1))
    paired, alone = found.differences["auc"], figures(one, Resampling(400, 1))["auc"]
    assert paired.high - paired.low < 0.3 * (alone.high - alone.low)
    assert found.delong is not None
    assert found.delong.high - found.delong.low == pytest.approx(paired.high - paired.low, rel=0.3)


def test_where_patients_return_delong_is_left_out_and_that_is_said() -> None:
    scored = many(60, per_patient=2)
    found = compared(scored, scored, FEW)
    assert found.delong is None
    assert "some patients have several studies" in found.method


def test_other_studies_another_order_or_other_labels_are_not_compared() -> None:
    one = many(20)
    turned = answers(one.probability[::-1], one.label[::-1])
    for other in (many(22), turned):
        with pytest.raises(NotJudged, match="same studies"):
            compared(one, other, FEW)


def test_too_few_studies_of_one_answer_have_no_variance() -> None:
    scored = answers([0.9, 0.1, 0.2], [1, 0, 0])
    assert np.isnan(delong(scored, scored).p_value)
