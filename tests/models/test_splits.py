"""Splits: by patient, both answers in every part, the same for the same seed."""

from dataclasses import replace

import numpy as np
import pytest

from models.errors import TrainingRefused
from models.examples import Examples
from models.training.splits import PARTS, Split, draw_split
from tests.models.hearts import hearts


def patients(examples: Examples, split: Split, part: str) -> set[str]:
    return {examples.patients[int(index)] for index in getattr(split, part)}


@pytest.mark.parametrize("fold", [1, 2, 3, 4])
def test_every_study_is_in_one_part_and_no_patient_in_two(fold: int) -> None:
    examples = hearts(40)
    split = draw_split(examples, folds=4, fold=fold, seed=3)
    assert sorted(np.concatenate([split.train, split.validation, split.test])) == list(range(40))
    parts = [patients(examples, split, part) for part in PARTS]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 20


def test_every_fold_is_tested_once_and_has_its_share_of_both_answers() -> None:
    examples = hearts(60)
    tested = [draw_split(examples, folds=5, fold=fold).test for fold in range(1, 6)]
    assert sorted(np.concatenate(tested)) == list(range(60))
    assert [int(examples.label[test].sum()) for test in tested] == [6] * 5


def test_the_same_seed_deals_the_same_whatever_the_order_of_the_studies() -> None:
    examples = hearts(24)
    order = np.random.default_rng(1).permutation(24)
    shuffled = replace(
        examples,
        cine=np.asarray(examples.cine)[order],
        label=examples.label[order],
        patients=[examples.patients[int(place)] for place in order],
        studies=[examples.studies[int(place)] for place in order],
        groups={},
    )
    one, same, other = (
        patients(who, draw_split(who, folds=3, seed=seed), "test")
        for who, seed in ((examples, 7), (shuffled, 7), (examples, 8))
    )
    assert one == same
    assert one != other


@pytest.mark.parametrize(
    ("folds", "fold", "said"),
    [
        (2, 1, "at least 3 folds"),
        (5, 6, "none of the folds"),
        (5, 0, "none of the folds"),
        (9, 1, "not both"),
    ],
)
def test_a_split_that_cannot_be_is_refused(folds: int, fold: int, said: str) -> None:
    with pytest.raises(TrainingRefused, match=said):
        draw_split(hearts(12), folds=folds, fold=fold)


def test_a_split_made_by_hand_that_parts_a_patients_studies_is_refused() -> None:
    examples = hearts(12)
    leaking = Split(np.arange(0, 5), np.arange(5, 8), np.arange(8, 12))
    with pytest.raises(TrainingRefused, match=r"in two parts, train and validation.*study 1\.2\.6"):
        leaking.check(examples)
    with pytest.raises(TrainingRefused, match="in a part twice"):
        Split(np.array([0, 0, 2, 3]), np.arange(4, 8), np.arange(8, 12)).check(examples)
