"""`python -m tests.fuzz.files --images N --seed S`: spoiled images through a whole node, by C-STORE.

Study number i of seed S is always the same one (where the real studies are, or are not, in both); `--only i`
plays it alone.
"""

import argparse
import contextlib
import logging
import sqlite3
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from pydicom.uid import UID

from dicom_node.delivery.sender import find_files, send_files
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from tests.dicom_node.receiving import Sent
from tests.e2e.light_bundle import light_bundle
from tests.e2e.node import ServedNode, study_uid
from tests.fuzz.peer import GONE, RELEASE, associated
from tests.fuzz.studies import SpoiledStudy, spoiled_study
from tests.peers.presence import until

OPEN_STATES = {"receiving", "ready", "running", "delivering"}
GOOD = Scan(slices=3, phases=8, matrix=(32, 32))
_WAITING_AT_MOST = 25


@dataclass
class Siege:
    """A node under spoiled studies, and what came of them."""

    node: ServedNode
    folder: Path
    studies: int = 0
    images: int = 0
    wrong: int = 0
    answers: Counter[str] = field(default_factory=Counter)

    def play(self, spoiled: Iterable[SpoiledStudy]) -> None:
        """Send studies, a few at a time, and wait until each has come to an end."""
        for study in spoiled:
            self._send(study.sent)
            self.studies += 1
            self.images += len(study.sent)
            self.wrong += study.wrong
            if self.studies % _WAITING_AT_MOST == 0:
                self.await_ends()
        self.await_ends()

    def _send(self, sent: tuple[Sent, ...]) -> None:
        """As a scanner would, but for going on after every refusal."""
        kinds = sorted({(item.sop_class, item.syntax) for item in sent})
        number_of = {kind: 2 * index + 1 for index, kind in enumerate(kinds)}
        left = list(sent)
        while left:
            with associated(
                self.node.port, [(number_of[kind], UID(kind[0]), kind[1]) for kind in kinds]
            ) as peer:
                status = 0
                while left and status != GONE:
                    item = left.pop(0)
                    context_id = number_of[item.sop_class, item.syntax]
                    status = peer.store(context_id, item.sop_class, item.instance, item.dataset)
                    self.answers["gone" if status == GONE else f"{status:04X}"] += 1
                peer.say(RELEASE)
                peer.hear()

    def await_ends(self) -> None:
        """Return when no study is on its way any more."""

        def ended() -> bool:
            return not {state for state, _ in self.jobs()} & OPEN_STATES

        until(ended, f"every study at its end: {Counter(self.jobs()).most_common(5)}", deadline_s=600)

    def jobs(self) -> list[tuple[str, str]]:
        """State and reason of every study's job."""
        database = self.node.folder / "data" / "node.db"
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as opened:
            return opened.execute("SELECT state, reason FROM jobs").fetchall()

    def good_study(self, seed: int) -> str:
        """Send a study without a fault; its state when it has come to rest."""
        folder = self.folder / f"good{seed}"
        folder.mkdir()
        files = write_dicom(render(draw_heart(seed), GOOD), folder, Layout.GE)
        mark = self.node.mark()
        found, _ = find_files(files)
        results = send_files(found, ("127.0.0.1", self.node.port), self.node.ae_title, "GOOD", lambda _: None)
        assert {result.status for result in results} == {0x0000}
        line = self.node.settled(study_uid(files), "delivered", "rejected", "failed", since=mark)
        return str(line["state"])

    def memory_mb(self) -> dict[str, int]:
        """The most that each of the node's processes has taken (VmHWM), in 10^6 bytes."""
        processes = {"node": self.node.pid, **dict(children(self.node.pid))}
        return {name: _peak_bytes(pid) // 1_000_000 for name, pid in processes.items()}


def children(pid: int) -> Iterator[tuple[str, int]]:
    """The node's receiver and worker, by name."""
    for child in _child_numbers(pid):
        command = Path(f"/proc/{child}/cmdline").read_bytes()
        for name, module in (("receiver", b"dicom_node.receiver"), ("worker", b"dicom_node.analysis")):
            if module in command:
                yield name, child


def _child_numbers(pid: int) -> Iterator[int]:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it has ended meanwhile
            yield from map(int, (thread / "children").read_text().split())


def _peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


@contextlib.contextmanager
def besieged(folder: Path) -> Iterator[Siege]:
    """A node with a model of one gate, for studies of any kind."""
    model = {"bundle": str(light_bundle(folder / "bundle")), "frugal": True, "deadline_s": 120.0}
    complete = {"settle_s": 0.5, "quiet_s": 2.0}
    with ServedNode(folder / "node", model=model, complete=complete) as node:
        sending = folder / "sending"
        sending.mkdir()
        yield Siege(node, sending)


def _enough(seed: int, images: int) -> Iterator[SpoiledStudy]:
    """Studies until so many images have been wrong."""
    wrong = 0
    for number in count():
        if wrong >= images:
            return
        study = spoiled_study(seed, number)
        wrong += study.wrong
        yield study


def _told(siege: Siege, started: float) -> Iterator[str]:
    yield f"{siege.wrong:,} spoiled of {siege.images:,} images in {siege.studies} studies"
    yield f"{siege.wrong / (time.monotonic() - started):.1f} spoiled images per second"
    yield f"answers: {dict(siege.answers.most_common())}"
    yield f"states: {dict(Counter(state for state, _ in siege.jobs()).most_common())}"
    yield f"peak memory in MB: {siege.memory_mb()}"


def _progress(siege: Siege, studies: Iterable[SpoiledStudy], started: float) -> Iterator[SpoiledStudy]:
    for study in studies:
        if siege.studies % 10 == 0:
            _say(f"study {siege.studies} ({study.uid}): " + "; ".join(_told(siege, started)))
        yield study


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Send so many spoiled images; 1 if the node did not stand."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.files", description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="play this study alone")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    alone = None if given.only is None else [spoiled_study(given.seed, given.only)]
    with TemporaryDirectory() as folder, besieged(Path(folder)) as siege:
        started = time.monotonic()
        before = dict(children(siege.node.pid))
        siege.play(_progress(siege, alone or _enough(given.seed, given.images), started))
        state = siege.good_study(given.seed)
        for line in _told(siege, started):
            _say(line)
        blamed = Counter(reason for state, reason in siege.jobs() if state == "failed")
        for reason, number in blamed.most_common():
            _say(f"failed, {number} times: {reason}")
        _say(
            f"a good study at the end is {state}; processes before {before}, after {dict(children(siege.node.pid))}"
        )
        if given.only is not None or blamed:
            _say(siege.node.log[-20_000:])
        same = before["receiver"] == dict(children(siege.node.pid))["receiver"]
        return 0 if state == "delivered" and same and not blamed else 1


if __name__ == "__main__":
    sys.exit(main())
