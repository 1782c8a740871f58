"""A study that hangs its worker is set aside after two tries, and the worker answers the next one."""

import os
import shutil
import signal
import threading
from pathlib import Path

import pytest

from dicom_node.delivery.sender import find_files, send_files
from models.manifest import SHIPPED
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from tests.e2e.node import ServedNode, study_uid

pytestmark = pytest.mark.slow

TINY = Scan(slices=6, phases=8, matrix=(64, 64))


def _sent(node: ServedNode, folder: Path, seed: int) -> str:
    folder.mkdir()
    files = write_dicom(render(draw_heart(seed), TINY), folder, Layout.SIEMENS)
    found, _ = find_files(files)
    results = send_files(found, ("127.0.0.1", node.port), node.ae_title, "TEST", lambda _: None)
    assert {result.status for result in results} == {0x0000}
    return study_uid(files)


def _worker(node: ServedNode) -> int:
    for thread in Path(f"/proc/{node.pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            if b"dicom_node.analysis" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    raise AssertionError("the node has no worker")


def _broken_bundle(folder: Path) -> Path:
    """Weights that nobody loads, so that a worker is ready, and answers with the reason, in a second or two."""
    shutil.copytree(SHIPPED, folder)
    (folder / "weights.keras").write_bytes(b"not these")
    return folder


def test_a_worker_that_hangs_is_ended_at_its_deadline_twice_and_the_next_study_is_answered(
    tmp_path: Path,
) -> None:
    model = {"deadline_s": 12.0, "max_attempts": 2, "bundle": str(_broken_bundle(tmp_path / "bundle"))}
    with ServedNode(tmp_path / "node", model=model, report={"not_analysed": "never"}) as node:
        hung = _Hangman(node)
        hung.start()
        poison = _sent(node, tmp_path / "poison", 1)
        line = node.settled(poison, "failed")
        hung.leave()
        assert line["reason"] == (
            "set aside after 2 runs: the worker gave no answer before the deadline, and was ended"
        )
        following = _sent(node, tmp_path / "following", 2)
        assert "not the file its manifest names" in node.settled(following, "failed")["reason"]
        assert hung.stopped == 2
        moves = [event["to_state"] for event in node.show(poison)["events"]]
        assert moves.count("running") == 2


class _Hangman(threading.Thread):
    """Stops every worker of the node (SIGSTOP) until told to leave: they hang, as in a dead lock."""

    def __init__(self, node: ServedNode) -> None:
        super().__init__(daemon=True)
        self._node = node
        self._leaving = threading.Event()
        self._hung: set[int] = set()

    @property
    def stopped(self) -> int:
        return len(self._hung)

    def run(self) -> None:
        while not self._leaving.wait(0.05):
            try:
                pid = _worker(self._node)
                os.kill(pid, signal.SIGSTOP)
            except (AssertionError, OSError):
                continue
            self._hung.add(pid)

    def leave(self) -> None:
        self._leaving.set()
        self.join(30)
