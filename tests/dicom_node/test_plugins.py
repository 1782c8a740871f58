import subprocess
import sys
from pathlib import Path

import pytest

from dicom_node.plugins import SIBLINGS, check_siblings

CHECK = """
import sys
sys.path.insert(0, {folder!r})
from dicom_node.errors import ForeignPackage
from dicom_node.plugins import check_siblings
try:
    check_siblings()
except ForeignPackage as error:
    print(error)
"""


def test_our_siblings_are_ours() -> None:
    check_siblings()
    assert {"pipeline", "models", "reports"} == set(SIBLINGS)


@pytest.mark.parametrize("name", SIBLINGS)
def test_a_strangers_package_is_refused_and_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    done = subprocess.run(
        [sys.executable, "-c", CHECK.format(folder=str(tmp_path))],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert f"the package {name!r} is taken from {tmp_path / name}" in done.stdout
    assert "environment of its own" in done.stdout


def test_a_folder_of_weights_called_models_does_not_stand_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", CHECK.format(folder=str(tmp_path))],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == ""
