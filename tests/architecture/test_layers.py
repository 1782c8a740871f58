"""Arrows point down, and heavy libraries stay where they belong."""

import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def modules(package: str) -> list[str]:
    """The importable modules of one of our packages; `__main__` would run."""
    folder = str(ROOT / package.replace(".", "/"))
    return [package] + [
        f"{package}.{one.name}" for one in pkgutil.iter_modules([folder]) if one.name != "__main__"
    ]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)


def loaded_by(*names: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after importing `names`."""
    code = f"import sys, {', '.join(names)}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = run(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_arrows_point_down_and_every_library_keeps_to_its_room() -> None:
    done = run(str(Path(sys.executable).parent / "lint-imports"), "--no-cache")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 kept, 0 broken" in done.stdout


@pytest.mark.parametrize("package", ["pipeline", "models", "reports"])
def test_a_package_is_imported_without_a_deep_learning_library(package: str) -> None:
    assert not loaded_by(package) & {"tensorflow", "keras", "jax", "torch"}


def test_no_process_of_the_node_loads_a_deep_learning_library_at_import() -> None:
    rooms = ("archive", "receiver", "intake", "keeping", "store", "analysis", "delivery", "operate", "cli")
    ours = [*modules("dicom_node"), *(name for room in rooms for name in modules(f"dicom_node.{room}"))]
    assert not loaded_by(*ours) & {"tensorflow", "keras", "jax", "torch"}


def test_the_receiver_loads_neither_the_pixel_nor_the_report_libraries() -> None:
    heavy = {"tensorflow", "keras", "SimpleITK", "highdicom", "matplotlib", "sqlalchemy"}
    assert not loaded_by(*modules("dicom_node.receiver")) & heavy


@pytest.mark.parametrize("package", ["pipeline", "models", "reports"])
def test_what_a_package_exports_exists(package: str) -> None:
    module = import_module(package)
    assert module.__all__
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
