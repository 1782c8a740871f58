"""What the index costs while images come in, and how soon after the last one the study is judged.

A cine of 300 images goes by DCMTK storescu to the receiver process: with the index at work beside it, and
with nobody listening. The verdict is completeness told from rows, from the moment the association's end is
heard; the note says how long reading the 300 headers then would take with pydicom.
"""

import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread

from benchmarks.bars import Bar
from benchmarks.timing import timed
from benchmarks.tree import Brake
from dicom_node.archive import Archive
from dicom_node.clock import now_utc
from dicom_node.config_sections import CompleteSettings, ReceiveSettings, TlsSettings
from dicom_node.intake.closing import StudyCloser
from dicom_node.intake.index import Index
from dicom_node.intake.indexer import Indexer
from dicom_node.intake.postponed import Postponed
from dicom_node.jobs import State
from dicom_node.migrations import migrate
from dicom_node.receiver.process import ReceiverProcess
from dicom_node.store import Store
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom

BRAKE = Brake("dicom_node/intake/index.py", "_image", 0.02)
_RUNS = 7
_SCAN = Scan(slices=12, phases=25, matrix=(256, 256))
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class _Received:
    """One study: images per second, and the seconds from its end to the verdict."""

    rate: float
    verdict_s: float = 0.0


def measure() -> list[Bar]:
    """With and without the index, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        (study := Path(folder, "study")).mkdir()
        files = write_dicom(render(draw_heart(7, scar=True), _SCAN), study, Layout.GE)
        found: dict[bool, list[_Received]] = {True: [], False: []}
        for run in range(_RUNS + 1):
            for indexed in (True, False):
                found[indexed].append(_receive(Path(folder, f"{run}-{indexed}"), files, indexed=indexed))
        headers = timed(
            {"headers": lambda: [dcmread(file, stop_before_pixels=True) for file in files]}, _RUNS
        )
    ours, plain = (tuple(one.rate for one in found[indexed][1:]) for indexed in (True, False))
    verdicts = tuple(1000 * one.verdict_s for one in found[True][1:])
    afterwards = (
        f"reading the {len(files)} headers then takes {1000 * min(headers['headers']):.0f} ms at best"
    )
    return [
        Bar("receive with the index", "without", "images/s", ours, plain, 0.85, "higher"),
        Bar("verdict after the last image", "the clock", "ms", verdicts, (1.0,), 100.0, "lower", afterwards),
    ]


def _receive(folder: Path, files: list[Path], *, indexed: bool) -> _Received:
    settings = ReceiveSettings(port=0, disk_reserve_mb=0)
    receiver = ReceiverProcess(settings, folder / "archive", TlsSettings())
    with ExitStack() as running:
        side = _Indexed(folder, running) if indexed else None
        receiver.start()
        running.callback(receiver.stop)
        command = ["storescu", "-R", "-aec", settings.ae_title, "127.0.0.1", str(receiver.port)]
        begun = time.perf_counter()
        sender = subprocess.Popen([*command, *map(str, files)])  # noqa: S603 - a peer under test
        while (event := receiver.events.get(timeout=_PATIENCE_S))["event"] != "closed":
            if side is not None and event["event"] == "stored":
                side.indexer.put(str(event["path"]), str(event["study"]), str(event["digest"]))
        ended = time.perf_counter()
        assert sender.wait(_PATIENCE_S) == 0
        rate = len(files) / (ended - begun)
        return _Received(rate, side.verdict_at() - ended) if side is not None else _Received(rate)


class _Indexed:
    """The node's half: index and completeness, as `app.py` puts them together."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        url = f"sqlite:///{folder / 'node.db'}"
        folder.mkdir(parents=True)
        migrate(url)
        self._store = Store(url)
        running.callback(self._store.close)
        index = Index(Archive(folder / "archive", 0), self._store)
        self.indexer = Indexer(index, now_utc)
        self.indexer.start()
        running.callback(self.indexer.stop)
        self._closer = StudyCloser(self._store, CompleteSettings(), now_utc(), Postponed(wait_s=1.0))

    def verdict_at(self) -> float:
        """The moment at which the study is READY, its association having ended now."""
        self.indexer.hurry()
        assert self.indexer.wait_idle(_PATIENCE_S)
        [job] = self._closer.close_studies(now_utc(), time.monotonic(), ())
        assert job.state is State.READY, job.reason
        return time.perf_counter()
