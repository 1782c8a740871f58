"""Programs that receive: ours, and those it is measured against, each in a folder of its own."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

OURS, STORESCP, FORKING, ORTHANC = "dicom-node", "storescp", "storescp --fork", "Orthanc"
PYNETDICOM, MINIMAL = "pynetdicom storescp", "minimal receiver in C"
_HERE = Path(__file__).parent
_PATH = f"/usr/bin:{os.environ.get('PATH', os.defpath)}:/usr/sbin"
_START_S = 60.0
_numbers = count()


@dataclass(frozen=True, slots=True)
class Running:
    """A receiver that listens on `port`; `pid` is the process that receives."""

    port: int
    pid: int

    def processor_s(self) -> float:
        """The processor time that it has taken so far, all of its threads, ended ones included."""
        return time.clock_gettime(~self.pid << 3 | 2)  # CLOCK_PROCESS_CPUTIME_ID of another process (Linux)


class Receivers:
    """Starts receivers below `folder`. Nothing is deleted between runs: ext4 would pay for it in the next."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._minimal = folder / "minimal"
        compiler = shutil.which("cc")
        if compiler is not None:
            source = _HERE / "minimal_receiver.c"
            command = [compiler, "-O2", "-pthread", str(source), "-o", str(self._minimal)]
            subprocess.run(command, check=True)  # noqa: S603 - our own source

    def has(self, name: str) -> bool:
        """Whether it can be started here."""
        needed = {
            STORESCP: "storescp",
            FORKING: "storescp",
            ORTHANC: "Orthanc",
            MINIMAL: str(self._minimal),
        }.get(name)
        return needed is None or shutil.which(needed, path=_PATH) is not None

    @contextmanager
    def running(self, name: str) -> Iterator[Running]:
        """It listens for as long as the block runs."""
        folder = self._folder / f"run-{next(_numbers)}"
        folder.mkdir()
        port = _free_port()
        command = _COMMANDS[name](port, folder, self._minimal)
        environment = {**os.environ, "TCP_NODELAY": "1", "PYTHONPATH": str(_HERE.parent)}
        with subprocess.Popen(  # noqa: S603 - our own words
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if name == OURS else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                pid = int(process.stdout.readline()) if process.stdout else process.pid
                _await(port, process)
                os.sync()  # what others left unwritten would be written during this one's run
                yield Running(port, pid)
            finally:
                _end(process, ask=name == OURS)


def installed(name: str) -> str:
    """The system's program of this name: an activated environment has pynetdicom's `storescu`, too."""
    return shutil.which(name, path=_PATH) or name


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_S
    while not _listens(port):
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{process.args!r} does not listen")
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes], *, ask: bool) -> None:
    if ask and process.stdin is not None:
        process.stdin.close()
    else:
        process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()


def _listens(port: int) -> bool:
    """Looked up, not tried: a connection would be an association to the receiver."""
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in lines)


def _orthanc(port: int, folder: Path, _: Path) -> list[str]:
    settings = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "DicomPort": port,
        "HttpPort": _free_port(),
        "DicomAet": "DICOMNODE",
        "DicomAlwaysAllowStore": True,
        "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings), encoding="utf-8")
    return [installed("Orthanc"), str(folder / "orthanc.json")]


_COMMANDS: dict[str, Callable[[int, Path, Path], list[str]]] = {
    OURS: lambda port, folder, _: [
        *(sys.executable, "-m", "benchmarks.receiving_node", str(port), str(folder)),
    ],
    STORESCP: lambda port, folder, _: [installed("storescp"), "-od", str(folder), str(port)],
    FORKING: lambda port, folder, _: [installed("storescp"), "--fork", "-od", str(folder), str(port)],
    ORTHANC: _orthanc,
    PYNETDICOM: lambda port, folder, _: [
        *(sys.executable, "-m", "pynetdicom", "storescp", str(port), "-od", str(folder)),
    ],
    MINIMAL: lambda port, folder, minimal: [str(minimal), str(port), str(folder)],
}
