"""Where studies, jobs, results and deliveries are remembered: one method, one short transaction."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any, final

from sqlalchemy import Connection

from dicom_node.jobs import Job, State
from dicom_node.routing import Routes
from dicom_node.store import deliveries as store_deliveries
from dicom_node.store import images as store_images
from dicom_node.store import jobs as store_jobs
from dicom_node.store import overview as store_overview
from dicom_node.store import results as store_results
from dicom_node.store import retry as store_retry
from dicom_node.store import views as store_views
from dicom_node.store.changes import Changes
from dicom_node.store.engine import BUSY_TIMEOUT_MS, open_engine, transaction
from dicom_node.store.faces import Faces
from dicom_node.store.records import (
    Delivery,
    DeliveryOutcome,
    JobEvent,
    NewInstance,
    NewResult,
    Result,
    SeriesSummary,
)
from dicom_node.store.run_records import HeldInstance, NewRun

if TYPE_CHECKING:
    from pipeline import InstanceFacts


@final
class Store(Faces):
    """Thread-safe. Every time is an aware datetime; every method may raise StoreUnavailable.

    The schema must be there: `dicom_node.migrations.migrate(url)` first.
    """

    def __init__(self, url: str, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        super().__init__(open_engine(url, busy_timeout_ms))
        self.changes = Changes(self._engine)

    def close(self) -> None:
        """Give back all connections."""
        self.changes.close()
        self._engine.dispose()

    def _read(self) -> AbstractContextManager[Connection]:
        return transaction(self._engine, writes=False)

    def _write(self) -> AbstractContextManager[Connection]:
        return transaction(self._engine, writes=True)

    # Images

    def add_instances(self, batch: Sequence[NewInstance], at: datetime) -> tuple[str, ...]:
        """File what has no row yet; open or reopen the studies it belongs to, which are returned.

        A known path changes nothing. Other bytes under a known SOP Instance UID become current. A note
        (`kept` False) opens no study.
        """
        with self._write() as connection:
            return store_images.add(connection, batch, at)

    def known_paths(self) -> set[str]:
        """Every archived file that has a row."""
        with self._read() as connection:
            return store_images.known_paths(connection)

    def mark_missing(self, paths: Iterable[str], at: datetime) -> None:
        """These files are gone from the archive; their rows stay and say so."""
        with self._write() as connection:
            store_images.mark_missing(connection, paths, at)

    def study_of_folder(self, folder: str) -> str:
        """The study whose files lie in this folder of the archive; empty if none is known."""
        with self._read() as connection:
            return store_images.study_of_folder(connection, folder)

    def facts(self, study_uid: str) -> "list[InstanceFacts]":
        """Header facts of every current, kept, readable instance, by path."""
        from pipeline import InstanceFacts  # with pydicom and NumPy, which most commands do without

        with self._read() as connection:
            return [InstanceFacts.from_json(one) for one in store_images.facts(connection, study_uid)]

    def paths(self, study_uid: str) -> list[str]:
        """Paths, relative to the archive's root, of the same instances in the same order."""
        return [one.path for one in self.held(study_uid)]

    def held(self, study_uid: str) -> list[HeldInstance]:
        """The same instances in the same order, with what a run remembers of each."""
        with self._read() as connection:
            return store_images.held(connection, study_uid)

    def digests(self, study_uid: str) -> dict[str, str]:
        """SOP Instance UID → SHA-256 of the same instances."""
        with self._read() as connection:
            return store_images.digests(connection, study_uid)

    def unusable(self, study_uid: str) -> list[str]:
        """Why files of the study could not be read, one sentence per file."""
        with self._read() as connection:
            return store_images.unusable(connection, study_uid)

    # Jobs

    def job(self, study_uid: str) -> Job | None:
        """The study's job; None for an unknown study, or one of which only notes are kept."""
        with self._read() as connection:
            return store_jobs.of_study(connection, study_uid)

    def jobs(self, state: State | None = None) -> list[Job]:
        """The jobs (in one state), the longest unchanged first."""
        with self._read() as connection:
            return store_jobs.in_states(connection, *([state] if state else []))

    def open_jobs(self) -> list[Job]:
        """The jobs that are RECEIVING; their `changed_at` is when their last image was filed."""
        return self.jobs(State.RECEIVING)

    def events(self, study_uid: str) -> list[JobEvent]:
        """The study's history, oldest first."""
        with self._read() as connection:
            return store_jobs.events(connection, study_uid)

    def note_verdict(self, job: Job, verdict: Mapping[str, Any]) -> bool:
        """Keep what completion thinks of the study; False if images have come since `job` was read."""
        with self._write() as connection:
            return store_jobs.set_verdict(connection, job, verdict)

    def verdict(self, study_uid: str) -> dict[str, Any]:
        """The last verdict (`Verdict.as_json`, and "inputs_key" where there is a cine); maybe empty."""
        with self._read() as connection:
            return store_jobs.verdict(connection, study_uid)

    def settle(self, job: Job, to: State, at: datetime, reason: str, actor: str) -> bool:
        """Move `job`, unless it is no longer what the caller holds (id, state, generation, attempts).

        Returns:
            False, and nothing is written, if the study was reopened or moved meanwhile.

        Raises:
            IllegalMove: the job's state does not lead to `to`.
        """
        with self._write() as connection:
            return store_jobs.settle(connection, job, to, store_jobs.Move(at, reason, actor))

    def claim(self, at: datetime) -> Job | None:
        """Hand the oldest READY job to exactly one caller, RUNNING, its attempt counted."""
        with self._write() as connection:
            return store_jobs.claim(connection, at)

    def reclaim(self, at: datetime) -> int:
        """Make READY what a dead process left RUNNING; attempts stay counted. Call before any worker."""
        move = store_jobs.Move(at, "the node stopped while the study was running", store_jobs.RESTART)
        with self._write() as connection:
            left = store_jobs.in_states(connection, State.RUNNING)
            return sum(store_jobs.settle(connection, job, State.READY, move) for job in left)

    def retry(self, study_uid: str, at: datetime) -> bool:
        """The operator's "again". False if there is nothing to try again.

        What failed to run is READY, with fresh attempts; what was not delivered is due now. Ends an alarm.
        """
        with self._write() as connection:
            return store_retry.retry(connection, study_uid, at)

    # Results and deliveries

    def record_results(self, job: Job, made: Sequence[NewResult], routes: Routes, run: NewRun) -> bool:
        """Write a run down at once: compare-and-set RUNNING → DELIVERING (DELIVERED if none has a way).

        The study's former results are superseded, their unsent deliveries cancelled; each object gets one
        pending delivery for every destination that `routes` lead it to, and no other later.

        Returns:
            False, and nothing is written, if the study was reopened while it ran.
        """
        with self._write() as connection:
            return store_results.record(connection, job, made, routes, run)

    def results(self, study_uid: str) -> list[Result]:
        """Everything ever made of the study, oldest first."""
        with self._read() as connection:
            return store_results.of_study(connection, study_uid)

    def current_results(self, study_uid: str) -> list[Result]:
        """The results that stand: those of the last run that was recorded."""
        return [result for result in self.results(study_uid) if result.current]

    def inputs_key(self, study_uid: str) -> str:
        """What the current results were made from, as recorded with them; empty without results."""
        return next((result.inputs_key for result in self.current_results(study_uid)), "")

    def priors(self, study_uid: str) -> list[Result]:
        """SRs, notices among them, that a destination may hold: what a new SR must name as predecessors."""
        with self._read() as connection:
            return store_results.reached(connection, study_uid)

    def due_deliveries(self, destination: str, at: datetime, limit: int = 500) -> list[Delivery]:
        """Current objects of DELIVERING studies, and notices of ended ones, that are due, study by study.

        They count as tried from now on (a crash must not hide that an object may have arrived), so
        `note_delivery` must follow for each. What waits while its study is reopened is not handed out.
        """
        with self._write() as connection:
            return store_deliveries.hand_out(connection, destination, at, limit)

    def note_delivery(self, delivery_id: int, outcome: DeliveryOutcome, at: datetime) -> None:
        """Write down what came of a try; a delivery cancelled meanwhile changes only if it did arrive."""
        with self._write() as connection:
            store_deliveries.note(connection, delivery_id, outcome, at)

    def finish_deliveries(self, at: datetime) -> list[Job]:
        """Move each DELIVERING job with nothing left to send to DELIVERED or FAILED; returns every move."""
        with self._write() as connection:
            return store_deliveries.finish(connection, at)

    def anything_to_deliver(self) -> bool:
        """Whether something waits to be sent, or to be proved."""
        with self._read() as connection:
            return store_deliveries.anything_open(connection)

    def deliveries(self, study_uid: str) -> list[Delivery]:
        """Every delivery of the study, also of superseded results, oldest first."""
        with self._read() as connection:
            return store_deliveries.of_study(connection, study_uid)

    # For people

    def series(self, study_uid: str) -> list[SeriesSummary]:
        """What is held of each series."""
        with self._read() as connection:
            return store_views.series_of(connection, study_uid)

    def counts(self) -> store_overview.Counts:
        """How much there is of everything."""
        return store_overview.counts(self._engine)
