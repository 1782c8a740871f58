"""`dicom-node serve` as a process of its own, watched through what it logs."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import yaml

from tests.e2e.light_bundle import light_bundle

PATIENCE_S = 120.0
_MODULES = {"receiver": "dicom_node.receiver", "worker": "dicom_node.analysis"}


class ServedNode:
    """A node on a folder; `stop` and `start` in between are a restart, `kill` and `start` a crash.

    `light` for tests in which the network's answer does not matter: its worker starts in two seconds instead of ten.
    """

    ae_title = "DICOMNODE"

    def __init__(self, folder: Path, *, light: bool = False, **settings: Any) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "config.yaml"
        base: dict[str, Any] = {
            "data_dir": "data",
            "receive": {"port": 0, "disk_reserve_mb": 0, "journal_mb": 4},
            "complete": {"settle_s": 1.0, "quiet_s": 6.0},
            "deliver": {"first_retry_s": 0.5, "max_retry_s": 2.0, "timeout_s": 10.0},
            "log": {"level": "info", "format": "json"},
        }
        if light:
            base["model"] = {"bundle": str(light_bundle(folder / "bundle")), "frugal": True}
        for section, values in settings.items():
            base[section] = base.get(section, {}) | values if isinstance(values, dict) else values
        self.config.write_text(yaml.safe_dump(base))
        self.port = 0
        self._lines: list[dict[str, Any]] = []
        self._heard = threading.Condition()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def pid(self) -> int:
        """The node's own process."""
        assert self._process is not None
        return self._process.pid

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self.folder / "data"

    def children(self) -> dict[str, int]:
        """Its receiver and its worker, as far as they run: their process numbers."""
        found: dict[str, int] = {}
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(OSError):  # threads and processes come and go
                for child in (thread / "children").read_text().split():
                    command = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
                    for name, module in _MODULES.items():
                        if any(part.startswith(module) for part in command):
                            found[name] = int(child)
        return found

    def kill_all(self) -> None:
        """kill -9 of the node and its children, at once; nothing if it does not run."""
        if not self.running:
            return
        for pid in (*self.children().values(), self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.crash()

    @property
    def running(self) -> bool:
        """Whether the node's own process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def config_port(self) -> int:
        """The port it is told to listen on."""
        port: int = yaml.safe_load(self.config.read_text())["receive"]["port"]
        return port

    def start(self) -> None:
        """Start, and return when the receiver listens."""
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "dicom_node", "--config", str(self.config), "serve"],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            encoding="utf-8",
        )
        mark = self.mark()
        self._reader = threading.Thread(target=self._listen, args=(self._process,), daemon=True)
        self._reader.start()
        self.port = int(self.wait_for("listening", since=mark)["port"])

    def stop(self) -> int:
        """Ask it to leave; its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._ended()

    def kill(self) -> None:
        """kill -9 of the node; its children see their pipes close."""
        assert self._process is not None
        self._process.kill()
        self._ended()

    def crash(self) -> None:
        """kill -9 of the node, and no waiting for what its children still do: the next start may meet them."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE_S)

    def _ended(self) -> int:
        assert self._process is not None
        assert self._reader is not None
        code = self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.running:
            self.stop()

    def mark(self) -> int:
        """A place in the log: what is logged later comes after it."""
        with self._heard:
            return len(self._lines)

    def wait_for(self, action: str, *, since: int = 0, **facts: Any) -> dict[str, Any]:
        """The first line after `since` with this action and these facts, when it comes."""

        def fits(line: dict[str, Any]) -> bool:
            return line.get("action") == action and all(
                line.get(key) == value for key, value in facts.items()
            )

        return self._wait(
            lambda: next((line for line in self._lines[since:] if fits(line)), None), action, facts
        )

    def settled(self, study: str, *states: str, since: int = 0) -> dict[str, Any]:
        """The line that says that the study has come to one of these states."""

        def found() -> dict[str, Any] | None:
            return next(
                (
                    line
                    for line in self._lines[since:]
                    if line.get("study") == study and line.get("state") in states
                ),
                None,
            )

        return self._wait(found, "settled", {"study": study, "states": states})

    def _wait(self, found: Callable[[], dict[str, Any] | None], what: str, facts: Any) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE_S
        with self._heard:
            while (line := found()) is None:
                left = until - time.monotonic()
                ended = self._process is not None and self._process.poll() is not None
                if left <= 0 or ended:
                    raise AssertionError(f"no {what} {facts}; the node said:\n{self.log}")
                self._heard.wait(min(left, 1.0))
            return line

    @property
    def log(self) -> str:
        """Everything it has said."""
        return "\n".join(json.dumps(line) for line in self._lines)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A `dicom-node` command under the node's configuration."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "dicom_node", "--config", str(self.config), *arguments],
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE_S,
            check=False,
        )

    def show(self, study: str) -> dict[str, Any]:
        """`dicom-node show STUDY --json`."""
        done = self.run("show", study, "--json")
        assert done.returncode == 0, done.stderr
        view: dict[str, Any] = json.loads(done.stdout)
        return view

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr:
            for text in process.stderr:
                with self._heard:
                    self._lines.append(_parsed(text))
                    self._heard.notify_all()
        with self._heard:
            self._heard.notify_all()


def _parsed(text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except json.JSONDecodeError:
        return {"action": "raw", "text": text.rstrip()}
    return line if isinstance(line, dict) else {"action": "raw", "text": text.rstrip()}


def study_uid(files: Sequence[Path]) -> str:
    """The Study Instance UID of the first file, verbatim."""
    from pydicom import dcmread

    return str(dcmread(files[0], specific_tags=["StudyInstanceUID"]).StudyInstanceUID)
