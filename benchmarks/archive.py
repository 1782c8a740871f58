"""A node that has run for years against one that has not.

5,000 studies of 200 images, as many rows and as many names of files, against 5 studies; all of it is made up.
`status` and `show` are whole commands. Claim and completeness are the calls that the node makes: the oldest
READY study is claimed, the one open study is judged from its 200 rows. The start is `dicom-node serve`, from
nothing to the port being open, after the node was killed (SIGKILL) a moment after its last start.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.bars import Bar
from benchmarks.made_up import MadeUp, make
from benchmarks.timing import timed
from benchmarks.tree import Brake
from dicom_node.archive import Archive
from dicom_node.clock import now_utc
from dicom_node.config_sections import CompleteSettings
from dicom_node.intake.closing import StudyCloser
from dicom_node.intake.index import Index
from dicom_node.intake.postponed import Postponed
from dicom_node.jobs import State
from dicom_node.store import Store
from dicom_node.store.jobs import WORKER

BRAKE = Brake("dicom_node/intake/index.py", "_moved", 3.0)
_RUNS = 7
_READY = 2
_MANY, _FEW = 5000, 5
_START_S = 3.0


def measure() -> list[Bar]:
    """Both archives, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        sides = {
            "many": make(Path(folder, "many"), _MANY, _READY),
            "few": make(Path(folder, "few"), _FEW, _READY),
        }
        for made in sides.values():
            _look_at_every_folder(made)
        bars = [
            _bar("claim", sides, _claiming),
            _bar("completeness of the open study", sides, _judging),
            _bar("dicom-node status", sides, lambda made: partial(_command, made, "status")),
            _bar(
                "dicom-node show", sides, lambda made: partial(_command, made, "show", made.delivered_study)
            ),
        ]
        starts = timed({name: partial(_start, made) for name, made in sides.items()}, _RUNS)
    few = f"with {_FEW} studies {min(starts['few']):.2f} s at best"
    return [
        *bars,
        Bar("start until it listens", "the clock", "s", starts["many"], (1.0,), _START_S, "lower", few),
    ]


def _bar(what: str, sides: dict[str, MadeUp], way: Callable[[MadeUp], Callable[[], object]]) -> Bar:
    taken = timed({name: way(made) for name, made in sides.items()}, _RUNS)
    return Bar(what, "a small archive", "s", taken["many"], taken["few"], 1.5, "lower")


def _look_at_every_folder(made: MadeUp) -> None:
    """What the first start did; a folder counts as known when it has been left alone for some seconds."""
    time.sleep(4.0)
    store = Store(made.url)
    Index(Archive(made.data / "archive", 0), store).catch_up(now_utc())
    store.close()


def _claiming(made: MadeUp) -> Callable[[], object]:
    store = Store(made.url)

    def claim() -> None:
        job = store.claim(now_utc())
        assert job is not None
        assert store.settle(job, State.READY, now_utc(), "again", WORKER)

    return claim


def _judging(made: MadeUp) -> Callable[[], object]:
    store = Store(made.url)
    patient = CompleteSettings(settle_s=1e9, quiet_s=1e9)

    def judge() -> None:
        closer = StudyCloser(store, patient, now_utc(), Postponed(wait_s=1.0))
        assert closer.close_studies(now_utc(), time.monotonic(), ()) == []

    return judge


def _command(made: MadeUp, *words: str) -> None:
    subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", "dicom_node", *words, "--json"],
        cwd=made.folder,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _start(made: MadeUp) -> None:
    """Until it says that it listens; then it is killed."""
    command = [sys.executable, "-m", "dicom_node", "serve"]
    node = subprocess.Popen(  # noqa: S603 - ourselves
        command, cwd=made.folder, stderr=subprocess.PIPE, start_new_session=True
    )
    assert node.stderr is not None
    for line in node.stderr:
        if b"listening" in line:
            break
    else:
        raise RuntimeError("the node did not start")
    os.killpg(node.pid, signal.SIGKILL)
    node.stderr.close()
    node.wait()
