"""Receiving a cine study.

Images of 133 kB, DCMTK's storescu as the sender of each study, every receiver started anew in a folder of its
own and in turns. One sender sends 300 images, several send 150 each, after one that is not counted. Ours is
the receiving half of a node: every object is durable before its answer (in the journal, or its file and
folder synced), and the index runs beside it. DCMTK has TCP_NODELAY=1.
"""

import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.bars import Bar
from benchmarks.physical_limit import images_per_s
from benchmarks.receivers import FORKING, MINIMAL, ORTHANC, OURS, PYNETDICOM, STORESCP, Receivers, Running
from benchmarks.sending import answer_times, send, write_studies
from benchmarks.tree import ROOT, Brake

BRAKE = Brake("dicom_node/receiver/native_lane.py", "_tell", 0.002)
RUNS = 7
ALONE, TOGETHER = 300, 150
_RATE, _PROCESSOR, _P99 = "rate", "processor", "p99"
_WANTED = {
    (1, STORESCP): 0.8,
    (1, MINIMAL): 0.85,
    (2, STORESCP): 1.0,
    (4, STORESCP): 1.0,
    (8, STORESCP): 1.0,
    (1, ORTHANC): 3.0,
    (8, ORTHANC): 2.0,
    (1, PYNETDICOM): 5.0,
    (8, PYNETDICOM): 6.0,
}
_MOST_SENDERS = 8

_Runs = dict[tuple[int, str, str], list[float]]
"""By senders, receiver and what was measured."""


def measure() -> list[Bar]:
    """Rates, processor time per image and the 99th percentile of the answers' times."""
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    runs: _Runs = defaultdict(list)
    with tempfile.TemporaryDirectory(dir=build) as name:
        folder = Path(name)
        studies = write_studies(folder, _MOST_SENDERS, ALONE)
        receivers = Receivers(folder)
        for _ in range(RUNS):
            _round(receivers, studies, runs)
            size = studies[0][0].stat().st_size
            runs[1, "", _RATE].append(images_per_s(folder / f"limit-{len(runs[1, '', _RATE])}", ALONE, size))
    return [*_rates(runs), *_costs(runs)]


def _round(receivers: Receivers, studies: list[list[Path]], runs: _Runs) -> None:
    """Everybody once with every number of senders."""
    for senders in (1, 2, 4, _MOST_SENDERS):
        sent = [study[: ALONE if senders == 1 else TOGETHER] for study in studies[:senders]]
        for name in _against(senders, receivers):
            with receivers.running(name) as running:
                _introduce(running, studies)
                _one(running, name, sent, runs)
    for name in (FORKING, OURS):
        with receivers.running(name) as running:
            _introduce(running, studies)
            times = answer_times(running.port, [study[:TOGETHER] for study in studies])
            runs[_MOST_SENDERS, name, _P99].append(1000 * statistics.quantiles(times, n=100)[98])


def _introduce(running: Running, studies: list[list[Path]]) -> None:
    """A receiver that has run for a while knows its senders: each has had one image before."""
    send(running.port, [studies[-1][-1:]])


def _one(running: Running, name: str, sent: list[list[Path]], runs: _Runs) -> None:
    images = sum(map(len, sent))
    before = running.processor_s()
    took_s = send(running.port, sent)
    runs[len(sent), name, _PROCESSOR].append(1000 * (running.processor_s() - before) / images)
    runs[len(sent), name, _RATE].append(images / took_s)


def _against(senders: int, receivers: Receivers) -> Iterator[str]:
    yield OURS
    yield from (peer for count, peer in _WANTED if count == senders and receivers.has(peer))


def _rates(runs: _Runs) -> Iterator[Bar]:
    limit = f"physical limit in this run (loopback, write, fdatasync, rename) {_spread(runs[1, '', _RATE])}"
    for (senders, peer), wanted in _WANTED.items():
        theirs = runs.get((senders, peer, _RATE))
        if theirs:
            what = f"receive, {senders} sender{'s' * (senders > 1)}"
            ours = tuple(runs[senders, OURS, _RATE])
            note = limit if senders == 1 else ""
            yield Bar(what, _PEERS[peer], "images/s", ours, tuple(theirs), wanted, "higher", note)


def _costs(runs: _Runs) -> Iterator[Bar]:
    for senders in (1, _MOST_SENDERS):
        ours, theirs = (tuple(runs[senders, name, _PROCESSOR]) for name in (OURS, STORESCP))
        what = f"CPU per image received, {senders} sender{'s' * (senders > 1)}"
        yield Bar(what, _PEERS[STORESCP], "ms", ours, theirs, 1.5, "lower", "the receiver's process alone")
    ours, theirs = (tuple(runs[_MOST_SENDERS, name, _P99]) for name in (OURS, FORKING))
    note = "without --fork storescp serves one sender and lets seven wait for their association"
    yield Bar(
        "C-STORE response p99, 8 senders", "DCMTK storescp --fork", "ms", ours, theirs, 2.0, "lower", note
    )


def _spread(numbers: Sequence[float]) -> str:
    return f"{statistics.median(numbers):.0f} [{min(numbers):.0f}-{max(numbers):.0f}] images/s"


_PEERS = {
    STORESCP: "DCMTK storescp, no sync",
    MINIMAL: "minimal receiver in C, fdatasync",
    ORTHANC: "Orthanc, its default (sync)",
    PYNETDICOM: "pynetdicom's storescp",
}
