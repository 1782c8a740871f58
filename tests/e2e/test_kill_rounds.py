"""kill -9 of receiver, worker, node (sender and scheduler with it) and all at once, while studies come in.

50 rounds here; `make rounds` plays as many as you like.
"""

import pytest

from tests.e2e.kill_batch import Outcome
from tests.e2e.kill_rounds import IMAGES, VICTIMS
from tests.e2e.kill_run import play_batches

pytestmark = [pytest.mark.slow, pytest.mark.peers("Orthanc", "storescu")]

SEEDS = (5, 6)
ROUNDS = 25


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    """All rounds played, every study at rest, each node started once more and stopped."""
    played = list(play_batches(SEEDS, ROUNDS, lanes=len(SEEDS), folder=tmp_path_factory.mktemp("rounds")))
    assert {one.seed for one in played} == set(SEEDS)
    return played


def test_each_process_was_killed_as_often_as_the_others(outcomes: list[Outcome]) -> None:
    for one in outcomes:
        assert sum(one.killed.values()) == ROUNDS
        assert set(one.killed) == set(VICTIMS)
        assert max(one.killed.values()) - min(one.killed.values()) <= 1
        assert one.starts == one.killed["node"] + one.killed["all"]


def test_every_acknowledged_image_is_in_the_archive_as_it_was_sent(outcomes: list[Outcome]) -> None:
    assert [one.images for one in outcomes] == [IMAGES * ROUNDS] * len(SEEDS)
    assert [one.lost for one in outcomes] == [()] * len(SEEDS)


def test_every_study_has_exactly_one_standing_report_in_the_pacs(outcomes: list[Outcome]) -> None:
    assert [one.astray for one in outcomes] == [()] * len(SEEDS)


def test_the_pacs_holds_every_current_object(outcomes: list[Outcome]) -> None:
    assert [one.missing for one in outcomes] == [()] * len(SEEDS)


def test_no_unfinished_file_outlives_the_next_start(outcomes: list[Outcome]) -> None:
    assert [one.unfinished for one in outcomes] == [()] * len(SEEDS)


def test_the_database_is_whole(outcomes: list[Outcome]) -> None:
    assert [one.database for one in outcomes] == [()] * len(SEEDS)


def test_after_each_start_the_archive_is_tidy_and_the_database_whole(outcomes: list[Outcome]) -> None:
    assert [one.after_starts for one in outcomes] == [()] * len(SEEDS)
