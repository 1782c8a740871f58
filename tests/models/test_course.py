"""What follows from the epochs so far: rate, best epoch, end; and the logs and state that hold them."""

from pathlib import Path

import numpy as np
import pytest

from models.errors import TrainingRefused
from models.training.checkpoint import load_state, save_state
from models.training.course import Course, Epoch, read_history, write_history
from models.training.event_log import write_events
from models.training.plan import TrainingPlan
from models.training.threshold import ThresholdRule


def course(*val_losses: float) -> Course:
    return Course(tuple(Epoch(n, 1e-4, 0.5, loss, 0.75, 1.5) for n, loss in enumerate(val_losses, 1)))


def test_the_best_epoch_is_the_first_of_the_lowest_validation_loss_and_patience_counts_from_it() -> None:
    plan = TrainingPlan(epochs=10, patience=2)
    assert Course().best is None
    assert course(3, 1, 2, 1).best == course(3, 1).epochs[-1]
    assert not course(3, 1, 2).ended(plan)
    assert course(3, 1, 2, 1).ended(plan)
    assert not Course().ended(plan)
    assert course(*range(10, 0, -1)).ended(plan)


def test_a_cosine_falls_from_the_rate_to_its_lowest_over_the_planned_epochs() -> None:
    plan = TrainingPlan(epochs=4, rate=1.0)
    rates = [course(*[1.0] * epochs).next_rate(plan) for epochs in range(5)]
    assert rates == pytest.approx(
        [1.0, 0.02 + 0.98 * (1 + 2**-0.5) / 2, 0.51, 0.02 + 0.98 * (1 - 2**-0.5) / 2, 0.02]
    )


def test_a_plateau_lowers_the_rate_each_time_nothing_gets_better_for_a_third_of_the_patience() -> None:
    plan = TrainingPlan(rate=1.0, schedule="plateau", patience=6)
    falls = [
        course(*losses).next_rate(plan) for losses in ((1,), (1, 2), (1, 2, 2), (1, 2, 2, 0.5, 2, 2, 2, 2))
    ]
    assert falls == pytest.approx([1.0, 1.0, 0.3, 0.027])


def test_the_history_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    epochs = course(1 / 3, 0.1).epochs
    write_history(epochs, tmp_path / "history.csv")
    assert read_history(tmp_path / "history.csv") == epochs


def test_a_state_comes_back_bit_by_bit(tmp_path: Path) -> None:
    arrays = [np.arange(3, dtype=np.float32) / 7, np.array(5, np.int64), np.zeros((0, 2), np.uint32)]
    save_state(tmp_path / "state.npz", arrays, course(0.1, 0.2))
    found, known = load_state(tmp_path / "state.npz", arrays)
    assert known == course(0.1, 0.2)
    assert all(np.array_equal(one, other) for one, other in zip(found, arrays, strict=True))
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]


def test_a_damaged_or_foreign_state_is_refused_and_nothing_in_it_is_run(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    arrays = [np.zeros(3, np.float32)]
    save_state(path, arrays, course(0.1))
    with pytest.raises(TrainingRefused, match="of another network"):
        load_state(path, [np.zeros(4, np.float32)])
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(TrainingRefused, match="is damaged"):
        load_state(path, arrays)
    np.savez(path, course=np.zeros((0, 6)), **{"00000": np.array([print], dtype=object)})
    with pytest.raises(TrainingRefused, match="is damaged"):
        load_state(path, arrays)


SCORES = np.array([0.1, 0.2, 0.4, 0.6, 0.8, 0.9])
ANSWERS = np.array([False, False, True, False, True, True])


@pytest.mark.parametrize(
    ("rule", "threshold"),
    [
        ("youden", 0.7),
        ("sensitivity=1", 0.3),
        ("sensitivity=0.6", 0.7),
        ("specificity=1", 0.7),
        ("specificity=0.5", 0.3),
    ],
)
def test_the_threshold_is_the_one_its_rule_gives(rule: str, threshold: float) -> None:
    assert ThresholdRule.parse(rule).choose(SCORES, ANSWERS) == pytest.approx(threshold)


@pytest.mark.parametrize(
    "rule", ["", "f1", "sensitivity", "sensitivity=90", "specificity=x", "sensitivity=nan"]
)
def test_a_rule_nobody_knows_is_refused(rule: str) -> None:
    with pytest.raises(TrainingRefused, match="is no rule for a threshold"):
        TrainingPlan(threshold_rule=rule)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"architecture": "resnet"}, "no network is called 'resnet'; known: cnn3d"),
        ({"epochs": 0}, "at least 1"),
        ({"rate": 0.0}, "rate is above 0"),
        ({"rate": float("nan")}, "rate is above 0"),
        ({"balance": "magic"}, "balance is one of none, oversample"),
        ({"precision": "int8"}, "precision is one of"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(TrainingRefused, match=said):
        TrainingPlan(**wrong)  # type: ignore[arg-type]


def test_plans_that_differ_in_what_shapes_the_result_have_other_digests() -> None:
    plan = TrainingPlan()
    assert plan.sha256 == TrainingPlan(workers=4, command="x").sha256
    assert plan.sha256 != TrainingPlan(seed=2).sha256


@pytest.mark.slow
def test_the_event_file_is_what_tensorflow_reads(tmp_path: Path) -> None:
    import tensorflow as tf
    from tensorflow.core.util.event_pb2 import Event

    path = write_events(course(0.5, 0.25).epochs, tmp_path)
    records = [Event.FromString(one.numpy()) for one in tf.data.TFRecordDataset([str(path)])]
    assert records[0].file_version == "brain.Event:2"
    assert [(one.step, one.wall_time) for one in records[1:]] == [(1, 1.5), (2, 3.0)]
    told = {value.tag: value.simple_value for value in records[2].summary.value}
    assert told == pytest.approx(
        {"epoch/rate": 1e-4, "epoch/loss": 0.5, "epoch/val_loss": 0.25, "epoch/val_auc": 0.75}
    )
