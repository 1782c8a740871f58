"""One computes, many wait: who gives its turn away, and who has none to give."""

import os
import threading
from pathlib import Path

import pytest

from dicom_node.archive import Archive
from dicom_node.receiver.turn import Turn
from tests.dicom_node.test_archive import arrival

_LONG_S = 10.0


def take_and_leave(turn: Turn) -> None:
    with turn:
        pass


def test_two_never_have_the_turn_together_and_one_goes_on_while_the_other_is_away() -> None:
    turn, is_away, done = Turn(), threading.Event(), threading.Event()
    came: list[str] = []

    def first() -> None:
        with turn:
            came.append("first")
            with turn.away():
                is_away.set()
                assert done.wait(_LONG_S), "nobody could go on meanwhile"
            came.append("first again")

    waiting = threading.Thread(target=first)
    waiting.start()
    assert is_away.wait(_LONG_S)
    with turn:
        came.append("second")
        done.set()
        waiting.join(0.05)
        assert waiting.is_alive(), "it came back while somebody had the turn"
        came.append("second still")
    waiting.join(_LONG_S)
    assert came == ["first", "second", "second still", "first again"]


def test_whoever_has_no_turn_gives_none_away() -> None:
    turn, ended = Turn(), threading.Event()

    def stranger() -> None:
        with turn.away():
            ended.set()

    with turn:
        threading.Thread(target=stranger).start()
        assert ended.wait(_LONG_S), "it waited for a turn that it had never had"
        taker = threading.Thread(target=turn.__enter__)
        taker.start()
        taker.join(0.05)
        assert taker.is_alive(), "a stranger gave away somebody else's turn"
    taker.join(_LONG_S)
    assert not taker.is_alive()


def test_a_turn_is_given_back_and_taken_again_when_the_wait_fails() -> None:
    turn = Turn()
    with turn:
        with pytest.raises(OSError, match="disk"), turn.away():
            raise OSError("disk")
        free = threading.Thread(target=turn.__enter__, daemon=True)
        free.start()
        free.join(0.05)
        assert free.is_alive(), "after the failure it had no turn any more"
    free.join(_LONG_S)


def test_the_archive_gives_the_turn_away_while_it_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn, free = Turn(), list[bool]()
    archive = Archive(tmp_path / "archive", 0, turn.away)
    archive.keep(arrival(instance="1.2.3.4"))  # from now on the folders are there

    def seen(descriptor: int) -> None:
        taker = threading.Thread(target=take_and_leave, args=(turn,))
        taker.start()
        taker.join(_LONG_S)
        free.append(not taker.is_alive())

    monkeypatch.setattr(os, "fdatasync", seen)
    monkeypatch.setattr(os, "fsync", seen)
    with turn:
        archive.keep(arrival(instance="1.2.3.5"))
    assert free == [True, True], "file and folder"
