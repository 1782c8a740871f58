"""What the node takes while nothing happens.

`dicom-node serve` with one destination, watched for a minute after the model was loaded. CPU is of
one core, all three processes together, in seven slices of time. Memory is what is resident of each process.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bars import Bar
from benchmarks.tree import Brake

BRAKE = Brake("dicom_node/store/changes.py", "number", 0.01, busy=True)
_SLICES = 7
_SLICE_S = 9.0
_WARM_S = 120.0
_CONFIG = """data_dir: data
receive: {port: 0, disk_reserve_mb: 0}
destinations: [{name: pacs, host: 127.0.0.1, port: 104, ae_title: PACS}]
"""


def measure() -> list[Bar]:
    """One node, watched for a minute."""
    with tempfile.TemporaryDirectory() as folder, _node(Path(folder)) as node:
        processes = _settled(node.pid)
        used, resident = [], []
        for _ in range(_SLICES):
            before, begun = _seconds(processes.values()), time.monotonic()
            time.sleep(_SLICE_S)
            used.append(100 * (_seconds(processes.values()) - before) / (time.monotonic() - begun))
            resident.append(_resident_mb(processes["receiver"]))
        others = ", ".join(f"{name} {_resident_mb(pid):.0f} MB" for name, pid in processes.items())
    return [
        Bar("CPU, all processes", "the kernel", "%", tuple(used), (1.0,), 1.0, "lower"),
        Bar("receiver, resident", "the kernel", "MB", tuple(resident), (1.0,), 120.0, "lower", others),
    ]


@contextmanager
def _node(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    (folder / "config.yaml").write_text(_CONFIG, encoding="utf-8")
    command = [sys.executable, "-m", "dicom_node", "serve"]
    with (folder / "log").open("wb") as log:
        node = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)  # noqa: S603 - ourselves
        try:
            yield node
        finally:
            node.send_signal(signal.SIGTERM)
            node.wait(60)


def _settled(node: int) -> dict[str, int]:
    """The node's processes by name, when the last of them has stopped loading what it needs."""
    until = time.monotonic() + _WARM_S
    quiet = 0
    while quiet < 3 and time.monotonic() < until:
        before = _seconds([node, *_children(node)])
        time.sleep(2.0)
        quiet = quiet + 1 if _seconds([node, *_children(node)]) - before < 0.1 else 0
    names = {_name(child): child for child in _children(node)}
    return {"node": node, **names}


def _children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _name(process: int) -> str:
    words = Path(f"/proc/{process}/cmdline").read_bytes().decode()
    return "receiver" if "dicom_node.receiver" in words else "worker"


def _seconds(processes: Iterable[int]) -> float:
    """Processor time so far, of user and kernel (proc(5), stat, fields 14 and 15)."""
    ticks = 0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _resident_mb(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024 / 1e6
