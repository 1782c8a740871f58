"""Studies without a result that may go out: notices, and alarms."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import final

from sqlalchemy import Engine

from dicom_node.jobs import Job, State
from dicom_node.routing import Routes
from dicom_node.store import addressees as store_addressees
from dicom_node.store import jobs as store_jobs
from dicom_node.store import results as store_results
from dicom_node.store.engine import transaction
from dicom_node.store.records import NewResult
from dicom_node.store.run_records import NewRun

_STOPPED = frozenset({State.RUNNING, State.DELIVERING})


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended without a result: REJECTED or FAILED, the reason, and what wrote the notice."""

    to: State
    reason: str
    run: NewRun


@final
class Endings:
    """A third face of the store's database. Thread-safe; every method may raise StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record_notice(self, job: Job, made: Sequence[NewResult], routes: Routes, ending: Ending) -> bool:
        """Settle a RUNNING job with its notice at once; the former results are superseded as by a result.

        The job is REJECTED or FAILED at once; its notice goes out from there (`Store.due_deliveries`).

        Returns:
            False, and nothing is written, if the study was reopened while it ran.
        """
        run = ending.run
        move = store_jobs.Move(run.at, ending.reason, store_jobs.WORKER)
        with transaction(self._engine, writes=True) as connection:
            if not store_jobs.settle(connection, job, ending.to, move):
                return False
            store_results.replace(connection, job, made, routes, run)
            places = store_results.addressed(made, routes, run)
            where = f"a notice made for {', '.join(places)}" if places else "a notice made"
            told = store_jobs.Move(run.at, where, store_jobs.WORKER)
            store_jobs.note(connection, job.study_instance_uid, told)
        return True

    def postpone(self, job: Job, reason: str, at: datetime) -> bool:
        """Make a RUNNING job READY as if it had not been claimed; False if it is no longer the caller's.

        What ended the run was neither the study's fault nor the worker's, so it does not count as a try.
        """
        with transaction(self._engine, writes=True) as connection:
            return store_jobs.unclaim(connection, job, store_jobs.Move(at, reason, store_jobs.WORKER))

    def raise_alarm(self, study_uid: str, reason: str, at: datetime) -> None:
        """Stop everything of the study: what stands no longer does, and nothing goes out until `Store.retry`.

        A run or a delivery under way ends FAILED; in any other state the study stays where it is.
        """
        move = store_jobs.Move(at, reason, store_jobs.GUARD)
        with transaction(self._engine, writes=True) as connection:
            job = store_jobs.of_study(connection, study_uid)
            if job is None:
                return
            if not job.alarm:
                store_jobs.set_alarm(connection, job, reason, move)
            store_results.supersede(connection, job, at, f"withheld: {reason}")
            if job.state in _STOPPED:
                store_jobs.settle(connection, job, State.FAILED, move)

    def fail_unaddressed(self, known: Collection[str], at: datetime) -> int:
        """Fail what waits for a destination that is none of the `known` ones; how many objects.

        Nobody would ever send them, and their studies would be DELIVERING for ever.
        """
        with transaction(self._engine, writes=True) as connection:
            return store_addressees.fail(connection, known, at)

    def doubt_unaddressed(self, known: Collection[str], at: datetime) -> list[Job]:
        """Count as unproven what such a destination took and never proved; the studies that moves.

        Nobody would ever ask it, and their studies would be DELIVERED for ever, as if all were well.
        """
        with transaction(self._engine, writes=True) as connection:
            return store_addressees.doubt(connection, known, at)

    def let_go(self, study_uid: str, known: Collection[str], at: datetime) -> int:
        """Cancel what the study owes to such destinations, and excuse them from proof; how many objects."""
        with transaction(self._engine, writes=True) as connection:
            cancelled = store_addressees.cancel(connection, study_uid, known)
            return cancelled + store_addressees.excuse(connection, study_uid, known, at)

    def clock_was_set(self, by: timedelta) -> None:
        """Move the plans for what is still to be sent along with the time of day."""
        with transaction(self._engine, writes=True) as connection:
            store_addressees.shift(connection, by)
