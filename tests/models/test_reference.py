"""The reference results: the same patients for everybody, done once, and told as they are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.reference.document import document
from models.reference.figures import kind_auc, site_auc, site_gap, whole
from models.reference.outcome import Outcome, read_outcome, write_outcome
from models.reference.running import done, run_all
from models.reference.trials import ARCHITECTURES, Sizes, cohort_of, trials
from models.registry import ARCHITECTURES as KNOWN

TINY = Sizes((2, 1, 2), (8, 4, 8), (3, 2, 2), epochs=1)
KINDS = ("motion-only", "texture-only", "both", "healthy", "low-ef", "wma")


def outcome(**changes: object) -> Outcome:
    """A network that sees motion and nothing else, on 30 hearts of each kind at two sites."""
    kinds = np.repeat(KINDS, 30)
    moved = np.isin(kinds, ["motion-only", "both", "wma"])
    probability = np.where(moved, 0.9, 0.1)
    count = len(kinds)
    made = Outcome(
        trial="lesions-stran",
        architecture="stran",
        balance="none",
        label="Scar",
        parameters=1_425_678,
        epochs=16,
        best_epoch=12,
        seconds=180.0,
        threshold=0.5,
        sizes=(360, 120, count),
        grid=(8, 6, 24, 24),
        spacing_mm=4.0,
        made_with={"commit": "abc", "seed": "1"},
        studies=tuple(f"1.2.{index}" for index in range(count)),
        patients=tuple(f"P{index}" for index in range(count)),
        answers=tuple((np.arange(count) < 90).tolist()),
        probability=tuple(probability.tolist()),
        groups={"kind": tuple(kinds.tolist()), "site": ("A", "B") * (count // 2), "band": ("no",) * count},
        measures={"Motion alone": tuple(moved.astype(float).tolist())},
    )
    return replace(made, **changes)


def test_the_eight_networks_differ_in_their_architecture_alone() -> None:
    compared = [one for one in trials(TINY, 1) if one.design == "lesions"]
    assert tuple(one.plan.architecture for one in compared) == ARCHITECTURES
    assert len({replace(one.plan, architecture="stran") for one in compared}) == 1
    assert {one.recipe for one in compared} == {compared[0].recipe}
    assert set(ARCHITECTURES) <= set(KNOWN)


def test_no_trial_tests_on_a_heart_that_it_learned_from() -> None:
    for design in ("lesions", "banded", "backwards"):
        cohort, split = cohort_of(design, TINY)
        train, validation, test = (
            {cohort.members[index].heart.seed for index in part.tolist()}
            for part in (split.train, split.validation, split.test)
        )
        assert len(train | validation | test) == len(train) + len(validation) + len(test)
        assert sum(split.sizes) == len(cohort.members)


def test_a_lesion_that_is_not_seen_scores_as_its_confounder_does() -> None:
    scored = outcome().scored()
    assert kind_auc(scored, "texture-only").value == pytest.approx(1 / 3)
    assert kind_auc(scored, "motion-only").value == pytest.approx(5 / 6)
    assert kind_auc(scored, "healthy").value == pytest.approx(5 / 6)
    assert kind_auc(scored, "wma").value == pytest.approx(1 / 3)
    figures = whole(scored)
    assert figures["sensitivity"].value == pytest.approx(2 / 3)
    assert figures["auc"].low < figures["auc"].value < figures["auc"].high


def test_a_site_that_is_served_worse_shows_in_the_gap() -> None:
    scored = outcome().scored()
    at_b = np.array([site == "B" for site in scored.groups["site"]])
    unfair = scored.answered(np.where(at_b, scored.label * 1.0, 0.5), 0.5)
    assert (site_auc(unfair, "A").value, site_auc(unfair, "B").value) == (0.5, 1.0)
    assert site_gap(unfair).value == 0.5
    assert abs(site_gap(scored).value) < 0.05


def test_an_outcome_comes_back_from_the_disk_as_it_was(tmp_path: Path) -> None:
    write_outcome(outcome(), tmp_path)
    found = read_outcome(tmp_path)
    assert found is not None
    assert np.array_equal(found.scored().probability, outcome().scored().probability)
    assert (found.trial, found.best_epoch, tuple(found.sizes)) == ("lesions-stran", 12, (360, 120, 180))
    assert read_outcome(tmp_path / "nothing") is None


def test_the_page_says_phantom_and_how_to_repeat_it() -> None:
    page = document(
        [
            outcome(),
            outcome(trial="banded-wide-none"),
            outcome(trial="backwards-spatial", architecture="spatial", probability=(0.5,) * 180),
        ]
    )
    assert page.startswith("# Reference results: PHANTOM")
    for word in ("`make results`", "| commit | abc |", "| hours of training | 0.15 |", "1,425,678"):
        assert word in page
    assert "| `spatial` | 0.500 (0.500 to 0.500) |" in page
    assert "360 studies to learn from, 120 to choose by, 180 to test on; 8 phases x 6 slices" in page
    assert "nan" not in page
    assert "Not done yet" not in page
    assert "Not done yet, so not on this page: lesions-cnn3d." in document([outcome()], ["lesions-cnn3d"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = trials(TINY, 1)[6]
    assert one.name == "lesions-cnn-lstm"
    monkeypatch.setattr("models.reference.running.trials", lambda sizes, seed: (one,))
    heard: list[str] = []
    [first] = run_all(tmp_path, TINY, 1, {"commit": "abc"}, heard.append)
    assert any("epoch 1 of at most 1" in line for line in heard)
    before = (tmp_path / one.name / "training" / "bundle" / "weights.keras").stat().st_mtime_ns
    heard.clear()
    [again] = run_all(tmp_path, TINY, 1, {"commit": "def"}, heard.append)
    assert heard == []
    assert again.made_with == first.made_with == {"commit": "abc", "seed": "1"}
    assert (tmp_path / one.name / "training" / "bundle" / "weights.keras").stat().st_mtime_ns == before
    assert len(done(tmp_path, TINY, 1)) == 1
