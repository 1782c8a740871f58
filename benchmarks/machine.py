"""What a figure was measured on: hardware and versions."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("pydicom", "pynetdicom", "numpy", "highdicom", "SQLAlchemy", "keras", "tensorflow")
_DEBIAN = ("dcmtk", "orthanc", "libgdcm-tools")


def machine() -> str:
    """One line, with how busy the machine was."""
    gibibytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{_processor()}, {os.cpu_count()} cores, {gibibytes:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {packages}"
        f"{_peers()}; load at the start {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _peers() -> str:
    """The versions of the Debian packages among the peers; nothing on another system."""
    ask = ["dpkg-query", "--show", "--showformat", ", ${Package} ${Version}", *_DEBIAN]
    try:
        return subprocess.run(ask, capture_output=True, text=True, check=False).stdout  # noqa: S603 - no input
    except FileNotFoundError:
        return ""
