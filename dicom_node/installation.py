"""What runs here: our code to the last byte, the libraries that shape a result, the machine."""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from dicom_node import __version__

_PACKAGES = ("dicom_node", "models", "pipeline", "reports")
_SOURCES = {".py", ".c", ".h"}
_LIBRARIES = (
    *("tensorflow", "keras", "numpy", "SimpleITK"),
    *("pydicom", "python-gdcm", "pyjpegls", "highdicom", "matplotlib", "pillow"),
)
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Installation:
    """One machine with one build of the node.

    Attributes:
        host: the machine's name on its network.
        platform: operating system and processor.
        version: of the node.
        commit: of its source, where an installation knows it; else empty.
        source_sha256: digest of every source file of the node, so that an edited copy shows.
        libraries: version by name, of the interpreter and of what computes, reads and writes for us.
    """

    host: str = ""
    platform: str = ""
    version: str = ""
    commit: str = ""
    source_sha256: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)


def installation() -> Installation:
    """This machine and this code, read from disk now: call it once, when the process starts."""
    return Installation(
        host=platform.node(),
        platform=platform.platform(),
        version=__version__,
        commit=_installed_commit() or checked_out(_ROOT),
        source_sha256=source_digest(_ROOT),
        libraries={"python": platform.python_version(), **_versions()},
    )


def source_digest(root: Path) -> str:
    """SHA-256 over name and content of every file of Python or C of the node's packages below `root`."""
    sha = hashlib.sha256()
    files = (path for package in _PACKAGES for path in (root / package).rglob("*"))
    for path in sorted(path for path in files if path.suffix in _SOURCES):
        sha.update(f"{path.relative_to(root).as_posix()}\0".encode())
        sha.update(hashlib.sha256(path.read_bytes()).digest())
    return sha.hexdigest()


def checked_out(root: Path) -> str:
    """The commit that the git checkout in `root` is on; empty if there is none, or git keeps it elsewhere."""
    try:
        head = _first_line(root / ".git" / "HEAD")
        if not head.startswith("ref: "):
            return head
        ref = head.removeprefix("ref: ")
        if (root / ".git" / ref).exists():
            return _first_line(root / ".git" / ref)
        packed = (root / ".git" / "packed-refs").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    return next((line.partition(" ")[0] for line in packed if line.endswith(f" {ref}")), "")


def _first_line(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0].strip()


def _installed_commit() -> str:
    """What an installer that fetched us from git wrote down (PEP 610)."""
    origin = json.loads(distribution("dicom-node").read_text("direct_url.json") or "{}")
    return str(origin.get("vcs_info", {}).get("commit_id", ""))


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
