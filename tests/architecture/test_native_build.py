"""The module in C is there where it can be built; where it cannot, the node is installed without it and says so."""

import os
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.peers.presence import missing

ROOT = Path(__file__).parents[2]
PACKAGES = ("dicom_node", "models", "pipeline", "reports")
FILES = ("LICENSE", "Makefile", "README.md", "pyproject.toml", "requirements.lock", "setup.py")
NATIVE = "dicom_node.receiver._native"
LEFT_OUT = {".c", ".h", ".pyc", ".so"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what is installed, never built, with an environment that borrows our libraries."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path)
    run(tmp_path, sys.executable, "-m", "venv", "--without-pip", ".venv")
    site_packages = next((tmp_path / ".venv" / "lib").glob("python3*")) / "site-packages"
    borrowed = [one for one in sys.path if one.endswith("site-packages")]
    (site_packages / "borrowed.pth").write_text("\n".join(borrowed))
    return tmp_path


def run(where: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        cwd=where,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_module_in_c_is_built() -> None:
    if find_spec(NATIVE) is None:
        missing("the module in C is not built: apt-get install gcc libssl-dev python3-dev && make native")
    assert import_module(NATIVE).__doc__


def test_without_a_compiler_the_node_is_installed_and_says_what_lacks(checkout: Path) -> None:
    run(checkout, "make", "--touch", "native")  # the libraries are there already
    stale = checkout / "dicom_node" / "receiver" / "_native.of-before.so"
    stale.touch()
    done = run(checkout, "make", "native", CC="/bin/false")
    said = [line for line in done.stderr.splitlines() if "without the native receiver lane" in line]
    assert len(said) == 1, done.stderr
    assert "apt-get install gcc libssl-dev" in said[0]
    assert not stale.exists()
    run(checkout, ".venv/bin/dicom-node", "--help")


def test_a_wheel_holds_every_file_of_the_packages(checkout: Path) -> None:
    build = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir=wheels", ".")
    run(checkout, ".venv/bin/python", *build, CC="/bin/false")
    with ZipFile(next((checkout / "wheels").glob("*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    files = {path for name in PACKAGES for path in (checkout / name).rglob("*") if path.is_file()}
    assert held == {path.relative_to(checkout).as_posix() for path in files if path.suffix not in LEFT_OUT}
