"""Balancing, held against values computed by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from models.errors import TrainingRefused
from models.training.augment import NONE
from models.training.balance import (
    Groups,
    balanced_loss,
    even_weights,
    group_weights,
    groups_of,
    next_shares,
    per_group,
    reweighed,
    stratified,
    weighted_mean,
)
from models.training.batches import Batches
from models.training.plan import TrainingPlan
from tests.models.hearts import hearts


def test_weights_by_frequency_are_the_formulas() -> None:
    # N / n is 4/3 and 4; together 16/3
    assert group_weights(np.array([3, 1])) == pytest.approx([1 / 4, 3 / 4])
    assert group_weights(np.array([3, 1])).sum() == pytest.approx(1)


def test_even_weights_are_the_formula_and_make_groups_equal_in_each_answer() -> None:
    # four of A, with three yes; two of B, with one. P(yes) = 4/6, P(A, yes) = 3/6: 4/6 / (2 x 3/6), and so on
    of = np.array([0, 0, 0, 0, 1, 1])
    answers = np.array([True, True, True, False, True, False])
    assert even_weights(of, answers) == pytest.approx([2 / 3, 2 / 3, 2 / 3, 1, 2, 1])
    # a group without one of the answers: the others have that answer among them
    assert even_weights(np.array([0, 0, 1]), np.array([True, False, False])) == pytest.approx([1, 1, 1])


def test_even_weights_keep_the_answers_as_frequent_as_they_were() -> None:
    many = np.random.default_rng(1)
    of, answers = many.choice(3, 600, p=[0.8, 0.15, 0.05]), many.random(600) < 0.3
    answers |= (of == 2) & (many.random(600) < 0.5)
    weights = even_weights(of, answers)
    assert weights.mean() == pytest.approx(1)
    assert np.average(answers, weights=weights) == pytest.approx(answers.mean())
    for answer in (False, True):
        masses = [weights[(of == group) & (answers == answer)].sum() for group in range(3)]
        assert masses == pytest.approx([np.mean(masses)] * 3)


def test_the_answers_themselves_are_weighed_by_frequency() -> None:
    rare = np.array([True, False, False, False])
    groups = Groups(("False", "True"), rare.astype(np.int64))
    assert reweighed(groups, rare, "") == pytest.approx([3 / 4, 1 / 4, 1 / 4, 1 / 4])
    # as a property of its own each answer would keep its frequency, which is no remedy
    assert even_weights(groups.of, rare) == pytest.approx([1, 1, 1, 1])


@pytest.mark.parametrize(
    ("balance", "wanted"),
    [
        ("none", (1 + 2 + 3 + 8) / 4),
        ("oversample", ((1 + 2 + 3) / 3 + 8) / 2),
        ("reweigh", (2 / 3 * (1 + 2 + 3) + 2 * 8) / 4),  # all say yes: 1 / (2 x 3/4) and 1 / (2 x 1/4)
        ("groupdro", 8),
    ],
)
def test_validation_is_weighed_as_training_is(balance: str, wanted: float) -> None:
    groups, yes = Groups(("A", "B"), np.array([0, 0, 0, 1])), np.ones(4, bool)
    assert balanced_loss(balance, np.array([1.0, 2, 3, 8]), groups, yes, "site") == pytest.approx(wanted)


def test_validation_by_the_answers_themselves_weighs_them_evenly() -> None:
    yes = np.array([False, False, False, True])
    groups = Groups(("False", "True"), yes.astype(np.int64))
    loss = balanced_loss("reweigh", np.array([1.0, 2, 3, 8]), groups, yes, "")
    assert loss == pytest.approx(((1 + 2 + 3) / 3 + 8) / 2)


def test_a_weighted_loss_is_the_mean_of_products_and_the_broadcasting_trap_is_refused() -> None:
    losses, weights = np.array([2.0, 1.0]), np.array([0.1, 1.0])
    assert weighted_mean(losses, weights) == pytest.approx(0.6)  # the trap gives 1.5 x 0.55 = 0.825
    with pytest.raises(ValueError, match="one value for each"):
        weighted_mean(losses, weights[:, None])


def test_group_dro_turns_to_the_worse_group_and_its_shares_sum_to_1() -> None:
    shares = next_shares(np.array([0.5, 0.5]), np.array([1.0, 3.0]), step=0.1)
    grown = math.exp(0.1), math.exp(0.3)
    assert shares == pytest.approx([grown[0] / sum(grown), grown[1] / sum(grown)])
    for _ in range(200):
        before, shares = shares, next_shares(shares, np.array([1.0, 3.0]))
        assert shares[1] > before[1]
        assert shares.sum() == pytest.approx(1)
    assert next_shares(np.array([0.2, 0.8]), np.array([2.0, 2.0])) == pytest.approx([0.2, 0.8])


def test_batches_that_are_balanced_hold_equally_many_of_each_group() -> None:
    groups = Groups(("A", "B", "C"), np.array([0] * 20 + [1] * 5 + [2]))
    order = stratified(groups, 6, 4, np.random.default_rng(1))
    assert order.shape == (4, 6)
    assert [np.bincount(groups.of[batch]).tolist() for batch in order] == [[2, 2, 2]] * 4
    assert per_group(7, 2) == 4
    assert per_group(4, 3) == 1
    with pytest.raises(TrainingRefused, match="batch of 2 cannot hold 3 groups"):
        per_group(2, 3)


@pytest.mark.parametrize("balance", ["oversample", "groupdro"])
def test_an_epoch_balanced_by_site_shows_both_sites_in_every_batch(balance: str) -> None:
    examples = hearts(24)
    plan = TrainingPlan(balance=balance, group_by="site", batch=4, augmentation=NONE)
    batches = Batches(plan, examples, np.arange(24))
    assert batches.groups.names == ("A", "B")
    assert batches.groups.counts.tolist() == [18, 6]
    for batch in batches.epoch(1):
        assert batch.group.sum(axis=0).tolist() == [2, 2]


def test_every_answer_in_a_group_can_be_a_group_of_its_own() -> None:
    examples = hearts(24)
    plan = TrainingPlan(balance="oversample", group_by="sex", each_answer=True, batch=4, augmentation=NONE)
    batches = Batches(plan, examples, np.arange(24))
    assert batches.groups.names == ("F, False", "F, True", "M, False", "M, True")
    for batch in batches.epoch(1):
        assert batch.group.sum(axis=0).tolist() == [1, 1, 1, 1]
        assert batch.answer.sum() == 2
    with pytest.raises(TrainingRefused, match="batch of 3 cannot hold 4 groups"):
        Batches(replace(plan, batch=3), examples, np.arange(24))


def test_reweighing_is_the_same_whether_or_not_answers_are_groups_of_their_own() -> None:
    plan = TrainingPlan(balance="reweigh", group_by="sex", batch=4, augmentation=NONE)
    one, other = (
        next(Batches(replace(plan, each_answer=each), hearts(24), np.arange(24)).epoch(1)).weight
        for each in (False, True)
    )
    assert one == pytest.approx(other)


def test_weights_come_from_the_whole_training_part_and_never_from_a_batch() -> None:
    examples = hearts(24)
    plan = TrainingPlan(balance="reweigh", group_by="site", batch=5, augmentation=NONE)
    batches = Batches(plan, examples, np.arange(24))
    wanted = even_weights(batches.groups.of, examples.label)
    order = batches.order(2)
    for places, batch in zip(order, batches.epoch(2), strict=True):
        assert batch.weight[:, 0] == pytest.approx(wanted[places])


def test_one_group_only_and_a_group_nobody_knows_are_refused() -> None:
    examples = hearts(12)
    with pytest.raises(TrainingRefused, match=r"'race'; known: sex, site"):
        groups_of(examples, np.arange(12), "race", several=True)
    with pytest.raises(TrainingRefused, match=r"all training studies are of one group \(site: A\)"):
        groups_of(examples, np.array([1, 2, 3]), "site", several=True)


def test_batches_are_a_function_of_seed_and_epoch_alone_however_many_threads_make_them() -> None:
    examples = hearts(12)
    one, other = (Batches(TrainingPlan(workers=workers), examples, np.arange(12)) for workers in (1, 3))
    list(other.epoch(1))
    for left, right in zip(one.epoch(2), other.epoch(2), strict=True):
        assert np.array_equal(left.cine, right.cine)
        assert np.array_equal(left.answer, right.answer)
    assert not np.array_equal(one.order(1), one.order(2))
    assert not np.array_equal(next(one.epoch(1)).cine, next(one.epoch(2)).cine)
