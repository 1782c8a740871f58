"""An archive that looks years old: rows nobody received, and names of files without anything in them.

Every file is a further name of one empty file, so that a million of them take little time and no disk.
Facts are those of a phantom's images.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.made_up_rows import SCAN, images_of, results_of, study_uid, tables
from dicom_node.keeping.run_files import run_file_name
from dicom_node.migrations import migrate
from pipeline import InstanceFacts, read_facts
from pipeline.phantom import Layout, draw_heart, render, write_dicom

_NAMES_PER_FILE = 60_000  # ext4 takes 65,000


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A node's folder with config.yaml, database and archive; one study is RECEIVING, `ready` are READY."""

    folder: Path
    studies: int
    ready: int

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.data / 'node.db'}"

    @property
    def delivered_study(self) -> str:
        """One that was read long ago."""
        return study_uid(self.studies - 1)


def make(folder: Path, studies: int, ready: int) -> MadeUp:
    """Write it all."""
    made = MadeUp(folder, studies, ready)
    made.data.mkdir(parents=True)
    config = "data_dir: data\nreceive: {port: 0, disk_reserve_mb: 0}\nmodel: {confined: false}\n"
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    migrate(made.url)
    with closing(sqlite3.connect(made.data / "node.db")) as database, database:
        for pragma in ("cache_size=-400000", "journal_mode=OFF", "synchronous=OFF"):
            database.execute(f"PRAGMA {pragma}")
        for table, rows in tables(studies, ready, _facts()).items():
            _insert(database, table, rows)
    _name_files(made.data / "archive", (path for n in range(studies) for path, _ in images_of(n)))
    _name_files(made.data / "results", _result_files(range(1 + ready, studies)))
    return made


def _facts() -> list[InstanceFacts]:
    with tempfile.TemporaryDirectory() as folder:
        files = write_dicom(render(draw_heart(7, scar=True), SCAN), Path(folder), Layout.SIEMENS)
        return [read_facts(file) for file in files]


def _insert(database: sqlite3.Connection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    remaining = iter(rows)
    first = next(remaining, None)
    if first is None:
        return
    statement = f"INSERT INTO {table} ({', '.join(first)}) VALUES ({', '.join(f':{name}' for name in first)})"  # noqa: S608
    database.execute(statement, first)
    database.executemany(statement, remaining)


def _result_files(done: Iterable[int]) -> Iterator[str]:
    for number in done:
        paths = results_of(number)
        yield from [*paths, run_file_name(paths)]


def _name_files(root: Path, paths: Iterable[str]) -> None:
    folders: set[str] = set()
    source = root / "empty"
    for count, path in enumerate(paths):
        if count % _NAMES_PER_FILE == 0:
            source = root / f"empty-{count}"
            root.mkdir(exist_ok=True)
            source.touch()
        if (folder := path.rpartition("/")[0]) not in folders:
            (root / folder).mkdir(parents=True)
            folders.add(folder)
        os.link(source, root / path)
