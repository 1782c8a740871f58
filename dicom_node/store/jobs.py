"""Jobs and their history: every statement runs in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from dicom_node.jobs import Job, State
from dicom_node.store.records import JobEvent
from dicom_node.store.schema import job_events, jobs

RECEIVER = "receiver"
COMPLETION = "completion"
WORKER = "worker"
DELIVERY = "delivery"
PROOF = "proof"
GUARD = "guard"
RESTART = "restart"
OPERATOR = "operator"
RETENTION = "retention"
RECONCILE = "reconcile"

COLUMNS = (
    jobs.c.id,
    jobs.c.study_instance_uid,
    jobs.c.state,
    jobs.c.changed_at,
    jobs.c.generation,
    jobs.c.attempts,
    jobs.c.reason,
    jobs.c.alarm,
)
"""What `as_job` needs of a row."""

# Asked and done for every batch of images, so built once.
_HELD = select(*COLUMNS).where(jobs.c.study_instance_uid == bindparam("study")).with_for_update()
_CHANGED = update(jobs).where(jobs.c.id == bindparam("job"))


@dataclass(frozen=True, slots=True)
class Move:
    """Why and when a job moves, and who moved it."""

    at: datetime
    reason: str
    actor: str


def as_job(row: Row[*tuple[Any, ...]]) -> Job:
    """The job of a row that begins with the job's columns."""
    return Job(
        id=row.id,
        study_instance_uid=row.study_instance_uid,
        state=State(row.state),
        changed_at=row.changed_at,
        generation=row.generation,
        attempts=row.attempts,
        reason=row.reason,
        alarm=row.alarm,
    )


def in_states(connection: Connection, *states: State) -> list[Job]:
    """The jobs in any of these states (all jobs, without any), the longest unchanged first."""
    query = select(*COLUMNS).order_by(jobs.c.changed_at, jobs.c.id)
    if states:
        query = query.where(jobs.c.state.in_([state.value for state in states]))
    return [as_job(row) for row in connection.execute(query)]


def of_study(connection: Connection, study_uid: str) -> Job | None:
    """The study's job."""
    query = select(*COLUMNS).where(jobs.c.study_instance_uid == study_uid)
    row = connection.execute(query).one_or_none()
    return None if row is None else as_job(row)


def reopen(connection: Connection, study_uid: str, at: datetime) -> None:
    """Open the study, or whatever its state, have it RECEIVING again as a new generation."""
    row = connection.execute(_HELD, {"study": study_uid}).one_or_none()
    if row is None:
        _open(connection, study_uid, at)
        return
    held = as_job(row)
    fresh = {"state": State.RECEIVING.value, "changed_at": at, "attempts": 0, "reason": ""}
    generation = held.generation + 1
    connection.execute(_CHANGED, {"job": held.id, "generation": generation, **fresh})
    if held.state is not State.RECEIVING:
        move = Move(at, f"a late image arrived while the study was {held.state}", RECEIVER)
        _write(connection, held.id, held.state, State.RECEIVING, generation, move)


def _open(connection: Connection, study_uid: str, at: datetime) -> None:
    values = {"study_instance_uid": study_uid, "state": State.RECEIVING.value, "changed_at": at}
    job_id = connection.execute(jobs.insert().values(**values).returning(jobs.c.id)).scalar_one()
    _write(connection, job_id, None, State.RECEIVING, 0, Move(at, "first image", RECEIVER))


def settle(connection: Connection, job: Job, to: State, move: Move) -> bool:
    """Move `job` if it is still what the caller holds; False, and nothing written, if it is not.

    Raises:
        IllegalMove: the held state does not lead to `to`.
    """
    moved = job.moved(to, move.at, move.reason)
    changed = connection.execute(
        update(jobs)
        .where(
            jobs.c.id == job.id,
            jobs.c.state == job.state.value,
            jobs.c.generation == job.generation,
            jobs.c.attempts == job.attempts,
        )
        .values(state=to.value, changed_at=move.at, attempts=moved.attempts, reason=move.reason)
    )
    if changed.rowcount != 1:
        return False
    _write(connection, job.id, job.state, to, job.generation, move)
    return True


def rerun(connection: Connection, job: Job, move: Move) -> bool:
    """Make a job READY with all its attempts before it."""
    if not settle(connection, job, State.READY, move):
        return False
    connection.execute(update(jobs).where(jobs.c.id == job.id).values(attempts=0))
    return True


def unclaim(connection: Connection, job: Job, move: Move) -> bool:
    """Make a RUNNING job READY with the attempts that it had before it was claimed."""
    if not settle(connection, job, State.READY, move):
        return False
    connection.execute(update(jobs).where(jobs.c.id == job.id).values(attempts=job.attempts - 1))
    return True


def claim(connection: Connection, at: datetime) -> Job | None:
    """The oldest READY job, now RUNNING; SKIP LOCKED lets PostgreSQL's claimers pass each other."""
    query = (
        select(*COLUMNS)
        .where(jobs.c.state == State.READY.value)
        .order_by(jobs.c.changed_at, jobs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    ready = as_job(row)
    settle(connection, ready, State.RUNNING, Move(at, f"run {ready.attempts + 1}", WORKER))
    return ready.moved(State.RUNNING, at, f"run {ready.attempts + 1}")


def note(connection: Connection, study_uid: str, move: Move) -> None:
    """Write a line into the study's history without moving its job; nothing if it has none."""
    job = of_study(connection, study_uid)
    if job is not None:
        _write(connection, job.id, job.state, job.state, job.generation, move)


def set_verdict(connection: Connection, job: Job, verdict: Mapping[str, Any]) -> bool:
    """Keep what completion thought of this generation; False if the study has been reopened since."""
    held = (jobs.c.id == job.id) & (jobs.c.generation == job.generation)
    return connection.execute(update(jobs).where(held).values(verdict=dict(verdict))).rowcount == 1


def verdict(connection: Connection, study_uid: str) -> dict[str, Any]:
    """The last verdict on the study; empty if there is none."""
    query = select(jobs.c.verdict).where(jobs.c.study_instance_uid == study_uid)
    return dict(connection.execute(query).scalar_one_or_none() or {})


def events(connection: Connection, study_uid: str) -> list[JobEvent]:
    """The study's history, oldest first."""
    query = (
        select(job_events)
        .join(jobs, jobs.c.id == job_events.c.job_id)
        .where(jobs.c.study_instance_uid == study_uid)
        .order_by(job_events.c.id)
    )
    return [
        JobEvent(row.at, row.from_state, row.to_state, row.generation, row.reason, row.actor)
        for row in connection.execute(query)
    ]


def set_alarm(connection: Connection, job: Job, alarm: str, move: Move) -> None:
    """Raise or, with "", end the alarm on a study, whatever its state; its history says so."""
    connection.execute(update(jobs).where(jobs.c.id == job.id).values(alarm=alarm))
    _write(connection, job.id, job.state, job.state, job.generation, move)


def _write(
    connection: Connection, job_id: int, before: State | None, after: State, generation: int, move: Move
) -> None:
    connection.execute(
        job_events.insert().values(
            job_id=job_id,
            at=move.at,
            from_state=None if before is None else before.value,
            to_state=after.value,
            generation=generation,
            reason=move.reason,
            actor=move.actor,
        )
    )
