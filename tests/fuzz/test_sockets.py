"""A receiver under spoiled conversations stores what is good, and is afterwards as it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.sockets import Assault, assaulted, peak_mb

SEED, INPUTS = 7, 100


@pytest.fixture(scope="module")
def assault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Assault, int, int]]:
    """All of them played; the process before, and its memory."""
    folder: Path = tmp_path_factory.mktemp("assault")
    with assaulted(folder, SEED) as begun:
        pid, memory = begun.node.process.pid, peak_mb(begun.node)
        begun.play(range(INPUTS))
        yield begun, pid, memory


def test_every_conversation_comes_to_an_end_and_nothing_of_it_is_left(
    assault: tuple[Assault, int, int],
) -> None:
    begun, pid, _ = assault
    assert sum(begun.ends.values()) == INPUTS
    assert len(begun.ends) > 4
    assert (begun.node.process.pid, begun.node.process.alive) == (pid, True)


def test_good_objects_are_stored_meanwhile_and_afterwards(assault: tuple[Assault, int, int]) -> None:
    begun, _, _ = assault
    assert begun.good >= INPUTS / 25
    assert begun.stores("1.2.3.999")


def test_memory_stays_bounded(assault: tuple[Assault, int, int]) -> None:
    begun, _, memory = assault
    assert peak_mb(begun.node) - memory < 60
