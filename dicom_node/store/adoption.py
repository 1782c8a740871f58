"""Runs that the files remember and the database does not, taken in: after a backup was restored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import final

from sqlalchemy import Connection, Engine, func, select, update

from dicom_node.jobs import MOVES, Job, State
from dicom_node.routing import Routes
from dicom_node.store import jobs as store_jobs
from dicom_node.store import results as store_results
from dicom_node.store.engine import insert_missing, transaction
from dicom_node.store.records import NOTICES, NewResult
from dicom_node.store.run_records import NewRun, Run
from dicom_node.store.schema import deliveries, results, studies

_UNDER_WAY = frozenset({State.RECEIVING, State.READY, State.RUNNING, State.DELIVERING})


@dataclass(frozen=True, slots=True)
class Adopted:
    """A run as it was recorded once, and the objects that it made."""

    run: Run
    as_new: NewRun
    made: tuple[NewResult, ...]


@final
class Adoption:
    """A further face of the store's database. Thread-safe; every method may raise StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def made_by_runs(self, after: int) -> list[tuple[int, list[str]]]:
        """Each run behind the one numbered `after`, oldest first, and the paths of the results it made."""
        query = select(results.c.run_id, results.c.path).where(results.c.run_id > after)
        with transaction(self._engine, writes=False) as connection:
            rows = connection.execute(query.order_by(results.c.run_id, results.c.id)).all()
        return [
            (run_id, [row.path for row in group]) for run_id, group in groupby(rows, lambda row: row.run_id)
        ]

    def adopt(self, one: Adopted, routes: Routes, at: datetime) -> bool:
        """Make these the study's current results; False if later ones stand, and nothing is written.

        They are due for delivery again: the same bytes under the same UIDs, which an archive that has them
        takes for what they are. They count as objects that may have arrived already.
        """
        study_uid = one.run.study_instance_uid
        with transaction(self._engine, writes=True) as connection:
            job = store_jobs.of_study(connection, study_uid) or _opened(connection, study_uid, at)
            if _later_stands(connection, job, one.run.recorded_at):
                return False
            as_then = replace(
                job, generation=one.run.generation, attempts=one.run.attempt, changed_at=one.run.claimed_at
            )
            if one.run.verdict:
                store_jobs.set_verdict(connection, job, one.run.verdict)
            store_results.replace(connection, as_then, one.made, routes, one.as_new)
            _count_as_tried(connection, job)
            _send_again(connection, job, one.made, at)
        return True


def _opened(connection: Connection, study_uid: str, at: datetime) -> Job:
    """The job of a study that the database has never heard of, and of which no image is left."""
    row = {"study_instance_uid": study_uid, "patient_id": "", "first_seen_at": at}
    insert_missing(connection, studies, [row])
    store_jobs.reopen(connection, study_uid, at)
    job = store_jobs.of_study(connection, study_uid)
    assert job is not None
    return job


def _later_stands(connection: Connection, job: Job, than: datetime) -> bool:
    query = select(func.count()).where(
        results.c.job_id == job.id, results.c.current, results.c.made_at > than
    )
    return connection.execute(query).scalar_one() > 0


def _count_as_tried(connection: Connection, job: Job) -> None:
    current = select(results.c.id).where(results.c.job_id == job.id, results.c.current)
    connection.execute(update(deliveries).where(deliveries.c.result_id.in_(current)).values(attempts=1))


def _send_again(connection: Connection, job: Job, made: Sequence[NewResult], at: datetime) -> None:
    """From where the study stands to where its results go out; one under way gets there by itself."""
    told = f"{len(made)} results were found on the disk that the database did not know"
    move = store_jobs.Move(at, told, store_jobs.RECONCILE)
    if job.state in _UNDER_WAY or any(one.kind in NOTICES for one in made):
        store_jobs.note(connection, job.study_instance_uid, move)
    elif State.DELIVERING in MOVES[job.state]:
        store_jobs.settle(connection, job, State.DELIVERING, move)
    else:
        store_jobs.settle(connection, job, State.READY, move)
