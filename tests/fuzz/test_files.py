"""A whole node under spoiled images: every study ends with a sentence; ten thousand on demand: `make fuzz`."""

from collections.abc import Iterator

import pytest

from tests.fuzz.files import Siege, besieged, children
from tests.fuzz.studies import spoiled_study

pytestmark = pytest.mark.slow

SEED, IMAGES = 11, 100


@pytest.fixture(scope="module")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Siege, dict[str, int]]]:
    """A hundred spoiled images sent, and their studies at their ends; the processes before."""
    with besieged(tmp_path_factory.mktemp("siege")) as begun:
        assert begun.good_study(0) == "delivered"
        before = dict(children(begun.node.pid))
        number = 0
        while begun.wrong < IMAGES:
            begun.play([spoiled_study(SEED, number)])
            number += 1
        yield begun, before


def test_every_study_ends_and_none_is_called_our_own_failure(siege: tuple[Siege, dict[str, int]]) -> None:
    begun, _ = siege
    states = {state for state, _ in begun.jobs()}
    assert states
    assert states <= {"delivered", "rejected"}
    assert all(reason for state, reason in begun.jobs() if state == "rejected")


def test_neither_node_nor_receiver_nor_worker_had_to_be_started_again(
    siege: tuple[Siege, dict[str, int]],
) -> None:
    begun, before = siege
    assert begun.node.running
    assert dict(children(begun.node.pid)) == before


def test_images_are_taken_or_refused_and_no_association_is_lost(siege: tuple[Siege, dict[str, int]]) -> None:
    begun, _ = siege
    assert sum(begun.answers.values()) == begun.images
    assert set(begun.answers) <= {"0000", "A900", "C000"}
    assert begun.answers["0000"] > 0


def test_memory_stays_bounded(siege: tuple[Siege, dict[str, int]]) -> None:
    begun, _ = siege
    memory_mb = begun.memory_mb()
    assert memory_mb["receiver"] < 200
    assert memory_mb["node"] < 350
    assert memory_mb["worker"] < 800


def test_a_good_study_is_read_afterwards(siege: tuple[Siege, dict[str, int]]) -> None:
    begun, _ = siege
    assert begun.good_study(1) == "delivered"
