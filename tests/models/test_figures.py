"""The figures of a judgement, against cases counted by hand and against scipy's rank test."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from models.errors import NotJudged
from models.evaluation.curves import confusion, precision_recall, roc
from models.evaluation.figures import figures_of
from tests.models.verdicts import answers, many

# two healthy, three ill, threshold 0.5: one false positive (0.6), one false negative (0.4)
FIVE = answers([0.1, 0.6, 0.4, 0.7, 0.9], [0, 0, 1, 1, 1])


def once(scored: object) -> dict[str, float]:
    found = figures_of(scored, np.ones((1, len(scored))))
    return {name: float(value[0]) for name, value in found.items()}


def test_every_figure_is_the_one_counted_by_hand() -> None:
    assert once(FIVE) == pytest.approx(
        {
            "auc": 5 / 6,  # of the six pairs only 0.4 against 0.6 is in the wrong order
            "sensitivity": 2 / 3,
            "specificity": 1 / 2,
            "ppv": 2 / 3,
            "npv": 1 / 2,
            "brier": (0.1**2 + 0.6**2 + 0.6**2 + 0.3**2 + 0.1**2) / 5,
            "ece": (0.1 + 0.6 + 0.6 + 0.3 + 0.1) / 5,  # each probability has a bin of its own
        }
    )


def test_calibration_errors_within_a_bin_cancel_and_between_bins_do_not() -> None:
    assert once(answers([0.52, 0.58], [1, 0]))["ece"] == pytest.approx(0.05)
    assert once(answers([0.48, 0.52], [1, 0]))["ece"] == pytest.approx(0.52)
    assert once(answers([1.0, 0.95], [1, 1]))["ece"] == pytest.approx(0.025)


def test_ties_count_half() -> None:
    assert once(answers([0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1]))["auc"] == 0.5
    assert once(answers([0.3, 0.5, 0.5], [0, 0, 1]))["auc"] == 0.75


def test_the_auc_is_the_rank_test_of_scipy() -> None:
    scored = many(301)
    rounded = scored.answered(scored.probability.round(1), 0.5)  # many ties
    for one in (scored, rounded):
        ill, well = one.probability[one.label], one.probability[~one.label]
        wanted = mannwhitneyu(ill, well).statistic / (len(ill) * len(well))
        assert once(one)["auc"] == pytest.approx(wanted, abs=1e-12)


def test_a_study_that_counts_twice_counts_like_two() -> None:
    weights = np.array([[2.0, 1.0, 0.0, 1.0, 3.0]])
    chosen = [0, 0, 1, 3, 4, 4, 4]
    doubled = answers(FIVE.probability[chosen], FIVE.label[chosen])
    found = {name: float(value[0]) for name, value in figures_of(FIVE, weights).items()}
    assert found == pytest.approx(once(doubled))


def test_a_figure_that_nothing_defines_is_not_a_number() -> None:
    found = once(answers([0.1, 0.2], [0, 0]))
    assert {name for name, value in found.items() if np.isnan(value)} == {"auc", "sensitivity", "ppv"}


def test_the_counts_at_the_operating_point() -> None:
    counts = confusion(FIVE)
    assert (counts.true_positive, counts.false_positive) == (2, 1)
    assert (counts.false_negative, counts.true_negative) == (1, 1)


def test_the_roc_climbs_from_nothing_to_everything_and_its_area_is_the_auc() -> None:
    false_positive, sensitivity = roc(FIVE)
    assert false_positive.tolist() == [0, 0, 0, 0.5, 0.5, 1]
    assert sensitivity.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3, 1, 1])
    tied = many(120).answered(many(120).probability.round(1), 0.5)
    assert float(np.trapezoid(*reversed(roc(tied)))) == pytest.approx(once(tied)["auc"])


def test_precision_and_recall_at_every_threshold() -> None:
    recall, precision = precision_recall(FIVE)
    assert recall.tolist() == pytest.approx([1 / 3, 2 / 3, 2 / 3, 1, 1])
    assert precision.tolist() == pytest.approx([1, 1, 2 / 3, 3 / 4, 3 / 5])


@pytest.mark.parametrize(
    ("label", "said"), [([1, 1], "says yes to Scar"), ([0, 0], "says no to Scar"), ([], "no studies")]
)
def test_one_answer_alone_is_refused_in_a_sentence(label: list[int], said: str) -> None:
    with pytest.raises(NotJudged, match=said):
        answers([0.5] * len(label), label).require_both()


def test_probabilities_outside_their_range_are_refused() -> None:
    for wrong in (1.2, float("nan")):
        with pytest.raises(ValueError, match="lie in"):
            answers([0.5, wrong], [0, 1])
