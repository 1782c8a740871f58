"""A result, its report and its pictures, to a storage SCP that keeps nothing: DCMTK's storescp.

Ours is what a courier does for one study, with a process that runs already; storescu is started for each run,
which is how it is used, and what that costs alone is said beside.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bars import Bar
from benchmarks.phantom_study import write_study
from benchmarks.timing import timed
from benchmarks.tree import Brake
from dicom_node.analysis.results import write_results
from dicom_node.config_sections import Destination
from dicom_node.delivery.destination import Pacs
from dicom_node.delivery.storage_scu import ResultObject
from models import load_bundle
from pipeline import assemble, find_stack, read_study
from reports import Equipment, InputQuality, ReportContext, build_reports
from tests.peers import free_port, storescu
from tests.peers.presence import program

BRAKE = Brake("dicom_node/delivery/exchange.py", "store", 0.01)
_RUNS = 9
_OURS, _THEIRS, _START = "ours", "DCMTK storescu", "storescu --version"


def measure() -> list[Bar]:
    """All objects of one result, by us and by storescu."""
    with tempfile.TemporaryDirectory() as folder, _sink() as port:
        objects = _result(Path(folder))
        pacs = Pacs(Destination(name="sink", host="127.0.0.1", port=port, ae_title="SINK"), "BENCH", 30.0)
        paths = [one.path for one in objects]
        taken = timed(
            {
                _OURS: lambda: _sent(pacs, objects),
                _THEIRS: lambda: storescu(paths, port, "SINK"),
                _START: lambda: subprocess.run([program("storescu"), "--version"], capture_output=True),  # noqa: S603
            },
            _RUNS,
        )
        kilobytes = sum(path.stat().st_size for path in paths) / 1000
    note = f"{len(paths)} objects, {kilobytes:.0f} kB; to start storescu takes {min(taken[_START]):.3f} s"
    return [Bar("SR and SC sent", _THEIRS, "s", taken[_OURS], taken[_THEIRS], 1 / 0.8, "lower", note)]


def _sent(pacs: Pacs, objects: list[ResultObject]) -> None:
    outcomes = pacs.send(objects)
    if any(outcome.status != 0 for outcome in outcomes):
        raise ValueError(f"not everything arrived: {outcomes}")


@contextmanager
def _sink() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([program("storescp"), "--ignore", "-aet", "SINK", "-pm", str(port)])  # noqa: S603
    try:
        while storescu_is_refused(port):
            pass
        yield port
    finally:
        process.terminate()
        process.wait()


def storescu_is_refused(port: int) -> bool:
    """Whether nobody listens there yet."""
    done = subprocess.run([program("echoscu"), "-aec", "SINK", "127.0.0.1", str(port)], capture_output=True)  # noqa: S603
    return done.returncode != 0


def _result(folder: Path) -> list[ResultObject]:
    """What the node makes of the benchmarks' study."""
    study = read_study(write_study(folder / "images"))
    volume = assemble(study, find_stack(study.facts), allow_missing=False)
    context = ReportContext(
        study=study,
        volume=volume,
        prediction=load_bundle().predict(volume, study),
        quality=InputQuality("complete"),
        equipment=Equipment("dicom-node project", "dicom-node", "0", "0", "BENCHMARK"),
        now=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
    )
    files = write_results(build_reports(context), folder / "results")
    return [
        ResultObject(folder / "results" / one.path, one.sop_class_uid, one.sop_instance_uid) for one in files
    ]
