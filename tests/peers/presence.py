"""Is a peer installed; where may it listen; has it got there yet."""

import os
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

PIXELMED_JAR = Path("/usr/share/java/pixelmed.jar")
PEERS = ("dcmdump", "dsrdump", "echoscu", "storescu", "dciodvfy", "gdcmconv", "Orthanc", "java", "pixelmed")


def missing(reason: str) -> None:
    """Skip the running test, saying why; in CI, where a skip would be a lie, fail it."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (in CI this is a failure)", pytrace=False)
    pytest.skip(reason)


def require(*peers: str) -> None:
    """Skip (in CI: fail) unless every one of these programs is installed."""
    for peer in peers:
        found = PIXELMED_JAR.exists() if peer == "pixelmed" else shutil.which(peer, path=_search_path())
        if not found:
            missing(f"{peer} is not installed: run `make peers`")


def _search_path() -> str:
    """The system's programs first: an activated .venv has pynetdicom's own `storescu` and `echoscu`."""
    return f"/usr/bin:{os.environ.get('PATH', os.defpath)}:/usr/sbin"


def program(name: str) -> str:
    """The full path of an installed peer (Debian keeps Orthanc in /usr/sbin)."""
    require(name)
    return shutil.which(name, path=_search_path()) or name


def free_port() -> int:
    """A TCP port on the loopback interface that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(condition: Callable[[], object], what: str, deadline_s: float = 60.0) -> None:
    """Look until `condition` holds, for things that another program does and does not announce.

    Raises:
        AssertionError: it did not hold before the deadline.
    """
    end = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"after {deadline_s:.0f} s still not: {what}")
        time.sleep(0.05)
