"""What the node says of its own code: another byte is another digest, and git's commit where git is."""

import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from dicom_node import __version__
from dicom_node.installation import checked_out, installation, source_digest


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=T", "-c", "user.email=t@example.org", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "Begin")
    return tmp_path


def test_the_commit_is_that_of_the_branch_loose_packed_or_detached(checkout: Path) -> None:
    head = git(checkout, "rev-parse", "HEAD")
    assert checked_out(checkout) == head
    git(checkout, "pack-refs", "--all")
    assert checked_out(checkout) == head
    git(checkout, "checkout", "--quiet", "--detach")
    assert checked_out(checkout) == head


def test_no_commit_is_named_where_there_is_none(tmp_path: Path) -> None:
    assert checked_out(tmp_path) == ""
    git(tmp_path, "init", "--quiet")
    assert checked_out(tmp_path) == ""


def test_one_byte_or_one_name_makes_another_source(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.py").write_text("x = 1\n")
    first = source_digest(tmp_path)
    assert source_digest(tmp_path) == first
    (tmp_path / "models" / "a.py").write_text("x = 2\n")
    second = source_digest(tmp_path)
    (tmp_path / "models" / "a.py").rename(tmp_path / "models" / "b.py")
    third = source_digest(tmp_path)
    (tmp_path / "models" / "a.c").write_text("int x;\n")
    assert len({first, second, third, source_digest(tmp_path)}) == 4
    (tmp_path / "models" / "notes.txt").write_text("not ours to run\n")
    (tmp_path / "models" / "a.pyc").write_bytes(b"nor this")
    assert len({first, second, third, source_digest(tmp_path)}) == 4


def test_an_installation_names_version_host_and_what_computes() -> None:
    here = installation()
    assert here.version == __version__ == version("dicom-node")
    assert here.host
    assert {"python", "tensorflow", "SimpleITK", "pydicom"} <= set(here.libraries)
