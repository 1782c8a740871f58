"""The table of legal moves."""

from itertools import product

import pytest

from dicom_node.errors import IllegalMove
from dicom_node.jobs import MOVES, Job, State
from tests.dicom_node.rows import START, after

JOB = Job(1, "1.2", State.READY, START, generation=3, attempts=1)


def test_every_state_has_its_row_of_moves() -> None:
    assert set(MOVES) == set(State)


@pytest.mark.parametrize("state", list(State))
def test_a_late_image_reopens_from_any_state(state: State) -> None:
    assert State.RECEIVING in MOVES[state]


def test_only_running_counts_as_an_attempt() -> None:
    running = JOB.moved(State.RUNNING, after(1), "run 2")
    assert (running.state, running.attempts, running.changed_at) == (State.RUNNING, 2, after(1))
    assert running.moved(State.READY, after(2)).attempts == 2


def test_a_move_keeps_the_generation() -> None:
    assert JOB.moved(State.RUNNING, after(1)).generation == 3


@pytest.mark.parametrize(
    ("here", "there"), [pair for pair in product(State, State) if pair[1] not in MOVES[pair[0]]]
)
def test_no_other_move_is_possible(here: State, there: State) -> None:
    job = Job(1, "1.2", here, START)
    with pytest.raises(IllegalMove, match=f"{here} does not lead to {there}"):
        job.moved(there, after(1))


def test_every_state_can_be_reached_from_the_first() -> None:
    reached, edge = {State.RECEIVING}, {State.RECEIVING}
    while edge:
        edge = set().union(*(MOVES[state] for state in edge)) - reached
        reached |= edge
    assert reached == set(State)
