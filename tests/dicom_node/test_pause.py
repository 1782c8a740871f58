"""Whoever waits for an answer gets it, however quickly it comes."""

import threading
from collections.abc import Iterator

import pytest

from dicom_node.delivery.line import Line, context
from dicom_node.delivery.pause import Pause
from dicom_node.tls import TlsFiles
from tests.dicom_node.delivering import SC
from tests.dicom_node.storage_scp import storage_scp


class Passing(threading.Thread):
    """Goes through a pause again and again, as an association's own thread does."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._is_paused = False
        self.pause = Pause(self)  # type: ignore[arg-type]
        self.rounds = 0
        self.at_work = False
        self.ending = threading.Event()

    def run(self) -> None:
        while not self.ending.is_set():
            self._is_paused = True
            self.pause.wait()
            self._is_paused = False
            self.at_work = True
            self.rounds += 1
            self.ending.wait(0.001)
            self.at_work = False

    def paused(self) -> None:
        """What the library does before a request."""
        self.pause.clear()
        while not self._is_paused:
            self.ending.wait(0.0001)


@pytest.fixture
def thread() -> Iterator[Passing]:
    passing = Passing()
    passing.start()
    yield passing
    passing.ending.set()
    passing.pause.set()
    passing.join(30)


def test_once_its_flag_is_up_the_thread_is_at_no_work_until_it_may(thread: Passing) -> None:
    found: list[bool] = []
    while thread.rounds < 100:
        thread.paused()
        found.append(thread.at_work)
        thread.pause.set()
    assert set(found) == {False}


def test_a_flag_that_somebody_else_lowered_is_raised_again_on_the_next_round(thread: Passing) -> None:
    for _ in range(50):
        thread.paused()
        thread._is_paused = False  # as when a request is served by whoever waits for an answer
        thread.pause.set()
    thread.paused()
    assert thread._is_paused


def test_an_association_that_asks_and_waits_pauses_so() -> None:
    with storage_scp() as scp:
        opened = Line(scp.settings, "DICOMNODE", 10.0, TlsFiles()).associate([context(SC)])
        opened.release()
    assert type(opened._reactor_checkpoint) is Pause
