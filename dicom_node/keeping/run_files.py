"""What the database knows of each run, once more as a file beside the objects it made.

Files are the truth: with these, results are recognised after the database was lost or restored from an older
backup. They are written from the database, after it, so that what a file says was really recorded.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from pydantic import TypeAdapter, ValidationError

from dicom_node.archive.durable import DurableWriter
from dicom_node.log import logger
from dicom_node.store import Store
from dicom_node.store.records import NewResult
from dicom_node.store.run_records import Run, RunInput

log = logger(__name__)

_SUFFIX = ".run"
_PATH = re.compile(r"[0-9a-f]{2}/[0-9a-f]{40}/[0-9a-f]{40}-[0-9a-f]{16}\.dcm")


@dataclass(frozen=True, slots=True)
class RunFile:
    """One recorded run, whole: what made it, from what, and which objects came of it."""

    run: Run
    model: Mapping[str, Any]
    inputs: tuple[RunInput, ...]
    results: tuple[NewResult, ...]


_RUN_FILE = TypeAdapter(RunFile)


@final
class RunFiles:
    """The files of runs below the results folder."""

    def __init__(self, results: Path) -> None:
        self._root = results
        self._writer = DurableWriter(results)
        self._last = 0

    def write_new(self, store: Store) -> int:
        """Write a file for every run that has none yet; how many.

        Raises:
            StoreUnavailable: the database cannot be read.
            OSError: a file could not be written; it is tried again at the next call.
        """
        written = 0
        for run_id, paths in store.adoption.made_by_runs(self._last):
            file = self._root / run_file_name(paths)
            if not file.exists():
                self._writer.write(file, [_RUN_FILE.dump_json(_gather(store, run_id), indent=1)])
                written += 1
            self._last = run_id
        return written

    def unknown_to(self, store: Store) -> list[RunFile]:
        """The runs that have a file and are not in the database, oldest first.

        A file that cannot be understood is logged and left; so is one of whose objects some are gone.
        """
        known = {run_file_name(paths) for _, paths in store.adoption.made_by_runs(0)}
        here = {str(path.relative_to(self._root)) for path in self._root.glob(f"??/*/*{_SUFFIX}")}
        found = [one for name in sorted(here - known) if (one := self._read(name)) is not None]
        return sorted(found, key=lambda one: one.run.recorded_at)

    def _read(self, name: str) -> RunFile | None:
        try:
            one = _RUN_FILE.validate_json((self._root / name).read_bytes())
        except (OSError, ValidationError) as error:
            log.warning("run-file-not-read", file=name, reason=type(error).__name__)
            return None
        if not all(self._intact(result) for result in one.results):
            log.warning("run-file-without-its-objects", file=name, study=one.run.study_instance_uid)
            return None
        return one

    def _intact(self, result: NewResult) -> bool:
        if not _PATH.fullmatch(result.path):
            return False
        try:
            with (self._root / result.path).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == result.digest
        except OSError:
            return False


def run_file_name(paths: Sequence[str]) -> str:
    """After what it is about, not after its row: rows are numbered anew in another database."""
    digest = hashlib.sha256("\n".join(sorted(paths)).encode()).hexdigest()[:40]
    return f"{Path(paths[0]).parent}/{digest}{_SUFFIX}"


def _gather(store: Store, run_id: int) -> RunFile:
    run = store.lineage.run(run_id)
    made = (one for one in store.results(run.study_instance_uid) if one.run_id == run_id)
    known = store.lineage.models(run.weights_sha256) if run.weights_sha256 else {}
    return RunFile(
        run=run,
        model={"weights_sha256": run.weights_sha256, **known.get(run.weights_sha256, {})},
        inputs=tuple(store.lineage.inputs(run_id)),
        results=tuple(
            NewResult(**{name: getattr(one, name) for name in NewResult.__slots__}) for one in made
        ),
    )
