"""Three receivers behind one face: DCMTK's storescp, Orthanc and the node, each as it is installed."""

import contextlib
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from dicom_node import __version__
from dicom_node.delivery.content_digest import content_digest
from tests.e2e.node import ServedNode
from tests.peers import Orthanc, free_port, until
from tests.peers.presence import program

_LISTEN = "0A"


class Side(Protocol):
    """A receiver on a folder. What it took survives `kill`, as far as it does."""

    name: str
    title: str
    reserves: bool
    """Whether it keeps room free that no image may take."""

    @property
    def port(self) -> int:
        """Where it listens."""

    @property
    def pid(self) -> int:
        """The process that receives; 0 if it does not run."""

    def start(self) -> None:
        """Start, and return when it listens."""

    def kill(self) -> None:
        """kill -9 of all its processes."""

    def version(self) -> str:
        """As it says itself."""

    def held(self) -> dict[str, str]:
        """SOP Instance UID → digest of the elements, of every instance it hands out. It must be running."""

    def strays(self, sent: Mapping[str, str]) -> int:
        """Files it keeps that are no whole instance that it hands out."""


class Storescp:
    """`storescp -od FOLDER`: what lies in the folder is what it hands out."""

    name, title, reserves = "storescp", "STORESCP", False

    def __init__(self, folder: Path) -> None:
        self._files = folder / "files"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process and self._process.poll() is None else 0

    def start(self) -> None:
        self._files.mkdir(parents=True, exist_ok=True)
        command = [program("storescp"), "-aet", self.title, "-od", str(self._files), str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: _listens(self.port), "storescp listens")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def version(self) -> str:
        said = subprocess.run([program("storescp"), "--version"], capture_output=True, text=True, check=True)
        return said.stdout.split()[2].removeprefix("v")

    def held(self) -> dict[str, str]:
        return dict(_read(path) for path in self._files.iterdir())

    def strays(self, sent: Mapping[str, str]) -> int:
        return sum(_read(path) not in sent.items() for path in self._files.iterdir())


class DefaultOrthanc:
    """Orthanc with its defaults for storage: it syncs each file, and keeps the first of two."""

    name, title, reserves = "Orthanc", Orthanc.ae_title, False

    def __init__(self, folder: Path) -> None:
        self._server = Orthanc(folder, durable=True)
        self.port = self._server.dicom_port

    @property
    def pid(self) -> int:
        return self._server.pid

    def start(self) -> None:
        self._server.start()

    def kill(self) -> None:
        self._server.stop()

    def version(self) -> str:
        return str(self._server.json("/system")["Version"])

    def held(self) -> dict[str, str]:
        found = (self._server.dataset(one) for one in self._server.instances())
        return {str(one.SOPInstanceUID): content_digest(one) for one in found}

    def strays(self, sent: Mapping[str, str]) -> int:
        index = sqlite3.connect(f"file:{self._server.storage / 'index'}?mode=ro", uri=True)
        with contextlib.closing(index):
            known = {uuid for (uuid,) in index.execute("SELECT uuid FROM AttachedFiles")}
        files = (path for path in self._server.storage.glob("??/??/*") if path.is_file())
        return sum(path.name not in known for path in files)


class Node:
    """`dicom-node serve` with a light model, and no destination."""

    name, title, reserves = "the node", ServedNode.ae_title, True

    def __init__(self, folder: Path, reserve_mb: int) -> None:
        self._node = ServedNode(
            folder / "node",
            light=True,
            data_dir=str(folder / "data"),
            receive={"port": free_port(), "disk_reserve_mb": reserve_mb},
        )
        self._archive = folder / "data" / "archive"
        self._receiver = 0

    @property
    def port(self) -> int:
        return self._node.config_port

    @property
    def pid(self) -> int:
        return self._node.children().get("receiver", 0) if self._node.running else 0

    def start(self) -> None:
        self._node.start()
        self._receiver = self._node.children()["receiver"]

    def kill(self) -> None:
        # who it is was looked up before, so that it dies at the chosen moment
        if self._node.running:
            os.kill(self._receiver, signal.SIGKILL)
            self._node.kill_all()

    def version(self) -> str:
        return __version__

    def held(self) -> dict[str, str]:
        return dict(_read(path) for path in self._archive.rglob("*.dcm"))

    def strays(self, sent: Mapping[str, str]) -> int:
        files = [path for path in self._archive.glob("??/**/*") if path.is_file()]
        return sum(path.suffix != ".dcm" or _read(path) not in sent.items() for path in files)


def _listens(port: int) -> bool:
    """Looked up, not tried: a connection would be one that storescp serves."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return any(row[1].endswith(f":{port:04X}") and row[3] == _LISTEN for row in rows)


def _read(path: Path) -> tuple[str, str]:
    """SOP Instance UID and digest of a file; "" and what is wrong if it is none."""
    try:
        dataset = dcmread(path)
        return str(dataset.SOPInstanceUID), content_digest(dataset)
    except (InvalidDicomError, AttributeError, OSError, ValueError) as error:
        return "", type(error).__name__


@contextlib.contextmanager
def running(side: Side) -> Iterator[Side]:
    """Started, and ended however it is."""
    side.start()
    try:
        yield side
    finally:
        with contextlib.suppress(AssertionError, ProcessLookupError):
            side.kill()
