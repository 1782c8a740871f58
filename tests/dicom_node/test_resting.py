"""Tasks rest while nobody writes, and miss nothing for it."""

from collections.abc import Iterator

import pytest

from dicom_node.errors import StoreUnavailable
from dicom_node.resting import Resting
from dicom_node.store import Store
from tests.dicom_node.rows import START, image


@pytest.fixture
def other(store_url: str) -> Iterator[Store]:
    """The same database in the hands of another process."""
    store = Store(store_url)
    yield store
    store.close()


class Work:
    """Counts its calls, and does at each what it was told."""

    def __init__(self) -> None:
        self.calls = 0
        self.again = False
        self.error: Exception | None = None

    def __call__(self) -> bool:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return self.again


def test_the_number_changes_with_the_commits_of_everybody(store: Store, other: Store) -> None:
    seen = [store.changes.number()]
    store.add_instances([image(1)], START)
    seen.append(store.changes.number())
    other.add_instances([image(2)], START)
    seen.append(store.changes.number())
    store.jobs()
    assert None not in seen
    assert len(set(seen)) == 3
    assert store.changes.number() == seen[-1], "looking is no change"


def test_a_task_rests_until_something_was_written(store: Store, other: Store) -> None:
    work, now = Work(), 0.0
    task = Resting(store.changes.number, lambda: now).task(work)
    task()
    task()
    assert work.calls == 1
    other.add_instances([image(1)], START)
    task()
    task()
    assert work.calls == 2


def test_what_was_written_while_a_task_was_at_work_calls_it_again(store: Store) -> None:
    calls: list[int] = []

    def work() -> None:
        calls.append(len(calls))
        if len(calls) == 1:
            store.add_instances([image(1)], START)

    task = Resting(store.changes.number).task(work)
    task()
    task()
    task()
    assert calls == [0, 1]


def test_a_task_that_waits_for_its_time_is_called_at_every_tick(store: Store) -> None:
    work = Work()
    work.again = True
    task = Resting(store.changes.number).task(work)
    task()
    task()
    assert work.calls == 2


def test_a_task_that_failed_is_called_again(store: Store) -> None:
    work = Work()
    task = Resting(store.changes.number).task(work)
    work.error = StoreUnavailable("locked")
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            task()
    work.error = None
    task()
    task()
    assert work.calls == 3


def test_a_task_is_called_now_and_then_in_any_case(store: Store) -> None:
    work, now = Work(), 0.0
    task = Resting(store.changes.number, lambda: now).task(work)
    task()
    now = 9.9
    task()
    assert work.calls == 1
    now = 10.1
    task()
    assert work.calls == 2


def test_no_task_rests_where_nobody_counts_the_changes() -> None:
    work = Work()
    task = Resting(lambda: None).task(work)
    task()
    task()
    assert work.calls == 2
