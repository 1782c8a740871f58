"""The node's clock when the time of day is set under it."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from dicom_node.schedule import ClockWatch, Clockwork

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_a_clock_that_is_set_is_noticed_once_and_by_how_much() -> None:
    watch = ClockWatch(NOON, 100.0)
    assert watch.jump(NOON + timedelta(seconds=61), 160.0) == timedelta()  # drift
    assert watch.jump(NOON - timedelta(hours=1), 170.0) == timedelta(seconds=-3670)
    assert watch.jump(NOON - timedelta(minutes=59), 230.0) == timedelta()
    assert watch.jump(NOON + timedelta(hours=9), 290.0) > timedelta(hours=9)


class Leaping:
    """The time of day, as somebody sets it."""

    def __init__(self) -> None:
        self.set_by = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.set_by


def test_after_a_jump_every_task_is_called_at_once_and_whoever_plans_is_told() -> None:
    called, told, time_of_day = threading.Event(), list[float](), Leaping()
    clock = Clockwork(
        {"task": (86_400.0, called.set)}, lambda jump: told.append(jump.total_seconds()), time_of_day
    )
    clock.start()
    try:
        assert not called.is_set()
        time_of_day.set_by = timedelta(hours=-1)
        assert called.wait(30)
    finally:
        clock.stop()
    assert told == [pytest.approx(-3600, abs=1)]


def test_no_task_acts_by_the_new_time_before_whoever_plans_was_told() -> None:
    happened, called, time_of_day = list[str](), threading.Event(), Leaping()

    def task() -> None:
        happened.append("task")
        called.set()

    clock = Clockwork({"task": (86_400.0, task)}, lambda _: happened.append("told"), time_of_day)
    clock.start()
    try:
        time_of_day.set_by = timedelta(days=5)
        clock.nudge("task")
        assert called.wait(30)
    finally:
        clock.stop()
    assert happened[:2] == ["told", "task"]


def test_a_clock_that_never_ticked_can_be_stopped() -> None:
    Clockwork({}).stop()
    assert "clock watch" not in {thread.name for thread in threading.enumerate()}
