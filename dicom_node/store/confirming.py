"""Where a delivered study stands, by what its destinations proved. Runs in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from dicom_node.jobs import Job, State
from dicom_node.store import jobs as store_jobs
from dicom_node.store.records import DeliveryState, ProofState
from dicom_node.store.schema import deliveries, jobs, results

_JUDGED = frozenset({State.DELIVERED, State.COMMITTED, State.UNCONFIRMED})


def confirm(connection: Connection, study_uid: str, at: datetime) -> Job | None:
    """Move the study if what is known of its current objects says so; the job as moved, or None.

    Only what was delivered is judged: a study that is delivering, or open again, has other worries.
    """
    job = store_jobs.of_study(connection, study_uid)
    if job is None or job.state not in _JUDGED:
        return None
    to, reason = _judge(_current(connection, job))
    if to is State.DELIVERED and job.state is not State.UNCONFIRMED:
        return None
    if to is None or to is job.state:
        return None
    if not store_jobs.settle(connection, job, to, store_jobs.Move(at, reason, store_jobs.PROOF)):
        return None
    return job.moved(to, at, reason)


def confirm_all(connection: Connection, delivery_ids: Sequence[int], at: datetime) -> list[Job]:
    """`confirm` each study that one of these deliveries is of; those that moved."""
    query = (
        select(jobs.c.study_instance_uid)
        .join(results, results.c.job_id == jobs.c.id)
        .join(deliveries, deliveries.c.result_id == results.c.id)
        .where(deliveries.c.id.in_(delivery_ids))
        .distinct()
    )
    moved = (confirm(connection, study, at) for study in list(connection.execute(query).scalars()))
    return [job for job in moved if job is not None]


def _current(connection: Connection, job: Job) -> list[Row[Any]]:
    columns = (deliveries.c.destination, deliveries.c.state, deliveries.c.proof)
    query = (
        select(*columns, deliveries.c.proof_method, deliveries.c.proof_comment)
        .join(results, results.c.id == deliveries.c.result_id)
        .where(results.c.job_id == job.id, results.c.current)
        .order_by(deliveries.c.id)
    )
    return list(connection.execute(query))


def _judge(rows: list[Row[Any]]) -> tuple[State | None, str]:
    rows = [row for row in rows if row.state != DeliveryState.CANCELLED]  # let go by hand
    again = [row for row in rows if row.state == DeliveryState.PENDING]
    if again:
        return State.DELIVERING, f"{_some(again, rows)} missing at {_places(again)}, sent again"
    unproven = [row for row in rows if row.proof == ProofState.UNPROVEN]
    if unproven:
        sentence = f"{_some(unproven, rows)} not proved at {_places(unproven)}"
        return State.UNCONFIRMED, f"{sentence}: {unproven[0].proof_comment}"
    if any(row.proof == ProofState.WANTED for row in rows):
        return None, ""
    proved = [row for row in rows if row.proof == ProofState.PROVED]
    if not proved:
        return State.DELIVERED, "nobody is asked for proof any more"
    ways = sorted({f"{row.destination} by {row.proof_method}" for row in proved})
    return State.COMMITTED, f"{_some(proved, rows)} proved: {', '.join(ways)}"


def _some(rows: list[Row[Any]], of: list[Row[Any]]) -> str:
    return f"{len(rows)} of {len(of)}"


def _places(rows: list[Row[Any]]) -> str:
    return ", ".join(sorted({row.destination for row in rows}))
