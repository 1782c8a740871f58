"""A database that is older than the files: what the files know and it does not is put back into it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import final

from dicom_node.archive import Archive
from dicom_node.intake.index import Index
from dicom_node.keeping.run_files import RunFile, RunFiles
from dicom_node.log import logger
from dicom_node.routing import Routes
from dicom_node.store import Store
from dicom_node.store.adoption import Adopted
from dicom_node.store.run_records import NewRun

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Differences:
    """What the files know otherwise than the database.

    Attributes:
        new_files: archived files without a row.
        lost_files: rows whose file is not there.
        unknown_runs: recorded runs, oldest first, of which the database knows no result.
    """

    new_files: int
    lost_files: int
    unknown_runs: tuple[RunFile, ...]


@final
class Reconciler:
    """Compares one database with one archive and one results folder. Nobody else may be at work on them."""

    def __init__(
        self,
        store: Store,
        archive: Archive,
        results: Path,
        routes: Routes,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._archive = archive
        self._results = RunFiles(results)
        self._routes = routes
        self._clock = clock

    def plan(self) -> Differences:
        """Look, and change nothing."""
        files, rows = set(self._archive.paths()), self._store.known_paths()
        return Differences(len(files - rows), len(rows - files), tuple(self._results.unknown_to(self._store)))

    def apply(self) -> Differences:
        """File what is new, mark what is gone, and put back the runs; what was found."""
        found = self.plan()
        Index(self._archive, self._store).rebuild(self._clock())
        for one in found.unknown_runs:
            self._adopt(one)
        return found

    def recognise(self) -> int:
        """Put back unknown runs alone; how many. The index must be in line with the archive."""
        return sum(self._adopt(one) for one in self._results.unknown_to(self._store))

    def _adopt(self, one: RunFile) -> bool:
        run = one.run
        as_new = NewRun(
            model=one.model,
            inputs_key=run.inputs_key,
            at=run.recorded_at,
            received=_both(run.received_first_at, run.received_last_at),
            seconds=run.seconds,
            peak_rss_mb=run.peak_rss_mb,
            inputs=one.inputs,
            request=run.request,
            config=run.config,
            installation=run.installation,
            findings=run.findings,
        )
        adopted = self._store.adoption.adopt(Adopted(run, as_new, one.results), self._routes, self._clock())
        if adopted:
            log.warning("results-recognised", study=run.study_instance_uid, objects=len(one.results))
        return adopted


def _both(first: datetime | None, last: datetime | None) -> tuple[datetime, datetime] | None:
    return (first, last) if first is not None and last is not None else None
