"""Files and folders of ours are closed to others, whatever the umask was when they were made."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from dicom_node.archive.durable import DurableWriter
from dicom_node.keeping.privacy import close_to_others


@pytest.fixture(autouse=True)
def careless_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_written_file_and_its_folders_are_private_from_the_beginning(tmp_path: Path) -> None:
    root = tmp_path / "data" / "archive"
    DurableWriter(root).write(root / "ab" / "cd" / "file", [b"pixels"])
    assert mode(root / "ab" / "cd" / "file") == 0o600
    assert {mode(folder) for folder in (tmp_path / "data", root, root / "ab", root / "ab" / "cd")} == {0o700}


def test_what_was_left_open_is_closed_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    for name in ("archive", "results", "theirs"):
        (tmp_path / name).mkdir()
    for name in ("node.db", "audit.log", "deidentify.key", "notes.txt"):
        (tmp_path / name).touch()
    close_to_others(tmp_path)
    modes = {path.name: mode(path) for path in tmp_path.iterdir()}
    assert modes == {
        "archive": 0o700,
        "results": 0o700,
        "theirs": 0o777,
        "node.db": 0o600,
        "audit.log": 0o600,
        "deidentify.key": 0o600,
        "notes.txt": 0o666,
    }
