"""OHIF as its makers publish it: fetched once by `make peers`, kept outside the checkout, known by its digest.

Run as a program it needs nothing but Python and npm, so that it works before there is an environment.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Package:
    """One version of one npm package; `integrity` is the registry's SHA-512 of its tarball."""

    name: str
    version: str
    integrity: str

    @property
    def folder(self) -> Path:
        """Where its files lie once fetched."""
        return cache() / f"{self.name.strip('@').replace('/', '-')}-{self.version}"


VIEWER = Package(
    "@ohif/app",
    "3.13.2",
    "sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA==",
)
HANDLER = Package(
    "@ohif/extension-cornerstone-dicom-sr",
    "3.13.13",
    "sha512-h6NCTThN5i8SQkD03cTZIBXY+yMck0V/PkvPMn3MliVThp1ewzv72HQ0xI+cdafZOtFfLI9IrxAEEc8waHr+qA==",
)
DCMJS = Package(
    "dcmjs",
    "0.52.0",
    "sha512-0/mT9NACKnwnOnkUx7JAqmWxRcUr7HiCoptw1KhN2StNYE0Hy6+tmpI7CU+lJuBc4rFpcMCalvI8QO6JkJ+7Fg==",
)
PACKAGES = (VIEWER, HANDLER, DCMJS)

_NEVER_NEEDED = ("package/dist/ort/", "package/generate/")  # speech models and such


def cache() -> Path:
    """The user's cache of programs that only the tests use."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dicom-node-peers"


def fetch(package: Package) -> None:
    """Fetch a package with npm, check its digest, unpack it; nothing to do if it is there."""
    if package.folder.exists():
        return
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache()) as name:
        work = Path(name)
        command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
        subprocess.run(command, cwd=work, check=True, stdout=subprocess.DEVNULL)
        (archive,) = work.glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != package.integrity:
            raise SystemExit(f"{package.name} {package.version} is not what it was: SHA-512 {digest}")
        with tarfile.open(archive) as opened:
            for member in filter(_needed, opened):
                _unpack(opened, member, work)
        (work / "package").rename(package.folder)


def _needed(member: tarfile.TarInfo) -> bool:
    return member.isfile() and not member.name.startswith(_NEVER_NEEDED) and not member.name.endswith(".map")


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    content = archive.extractfile(member)
    assert content is not None
    target = folder / member.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content.read())


def main() -> None:
    """Fetch what is missing."""
    missing = [package for package in PACKAGES if not package.folder.exists()]
    if missing and shutil.which("npm") is None:
        raise SystemExit("npm is not installed")
    for package in missing:
        sys.stdout.write(f"fetching {package.name} {package.version}\n")
        fetch(package)


if __name__ == "__main__":
    main()
