"""Objects on their way to destinations: every statement runs in the caller's transaction."""

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select, update

from dicom_node.jobs import Job, State
from dicom_node.store import jobs as store_jobs
from dicom_node.store.confirming import confirm
from dicom_node.store.records import (
    ARRIVED,
    NOTICES,
    Delivery,
    DeliveryOutcome,
    DeliveryState,
    ProofState,
)
from dicom_node.store.schema import deliveries, jobs, results

_OWN = (
    "id",
    "result_id",
    "destination",
    "state",
    "attempts",
    "created_at",
    "next_try_at",
    "status",
    "comment",
    "sent_sop_class_uid",
    "sent_sop_instance_uid",
    "sent_at",
    "proof",
    "proof_method",
    "proof_comment",
    "proof_tries",
    "resends",
)
_OF_RESULT = ("kind", "path", "digest", "sop_class_uid", "sop_instance_uid", "series_instance_uid", "current")
_ENDED = (State.REJECTED.value, State.FAILED.value)


def joined() -> Select[Any]:
    """Deliveries with what is known of their objects, the longest unchanged study first."""
    return (
        select(
            *(deliveries.c[name] for name in _OWN),
            *(results.c[name] for name in _OF_RESULT),
            jobs.c.study_instance_uid,
        )
        .join(results, results.c.id == deliveries.c.result_id)
        .join(jobs, jobs.c.id == results.c.job_id)
        .order_by(jobs.c.changed_at, deliveries.c.id)
    )


def as_delivery(row: Row[Any]) -> Delivery:
    """The delivery of a row of `joined`."""
    values = dict(row._mapping)
    return Delivery(**values | {"state": DeliveryState(row.state), "proof": ProofState(row.proof)})


def hand_out(connection: Connection, destination: str, at: datetime, limit: int) -> list[Delivery]:
    """What is due, counted as tried from now on; see `Store.due_deliveries`."""
    due = joined().where(
        deliveries.c.destination == destination,
        deliveries.c.state == DeliveryState.PENDING.value,
        deliveries.c.next_try_at <= at,
        results.c.current,
        jobs.c.alarm == "",
        (jobs.c.state == State.DELIVERING.value) | (jobs.c.state.in_(_ENDED) & results.c.kind.in_(NOTICES)),
    )
    ids = [row.id for row in connection.execute(due.limit(limit))]
    if not ids:
        return []
    mine = deliveries.c.id.in_(ids)
    connection.execute(update(deliveries).where(mine).values(attempts=deliveries.c.attempts + 1))
    return [as_delivery(row) for row in connection.execute(joined().where(mine))]


def note(connection: Connection, delivery_id: int, outcome: DeliveryOutcome, at: datetime) -> None:
    """Write down what came of a try.

    A row cancelled meanwhile changes only if the object did arrive, and one that arrived already not at all.
    """
    arrived = outcome.state in ARRIVED
    values: dict[str, Any] = {
        "state": outcome.state.value,
        "status": outcome.status,
        "comment": outcome.comment,
        "sent_sop_class_uid": outcome.sent_sop_class_uid,
        "sent_sop_instance_uid": outcome.sent_sop_instance_uid,
        "sent_at": at if arrived else None,
        "proof": ProofState.WANTED if arrived and outcome.ask_proof else ProofState.UNASKED,
        "proof_due_at": at if arrived and outcome.ask_proof else None,
        "proof_tries": 0,
    }
    if outcome.next_try_at is not None:
        values["next_try_at"] = outcome.next_try_at
    row = deliveries.c.id == delivery_id
    if not outcome.reached:
        missed = update(deliveries).where(row).values(misses=deliveries.c.misses + 1)
        connection.execute(missed)
    if arrived:
        row &= deliveries.c.state.not_in([state.value for state in ARRIVED])
    else:
        row &= deliveries.c.state == DeliveryState.PENDING.value
    connection.execute(update(deliveries).where(row).values(**values))
    _tell_of_notice(connection, delivery_id, at)


def _tell_of_notice(connection: Connection, delivery_id: int, at: datetime) -> None:
    """A study with a notice has ended before its objects arrive: its history says when they did."""
    query = (
        select(jobs.c.study_instance_uid)
        .join(results, results.c.job_id == jobs.c.id)
        .join(deliveries, deliveries.c.result_id == results.c.id)
        .where(deliveries.c.id == delivery_id, results.c.current, results.c.kind.in_(NOTICES))
    )
    study_uid = connection.execute(query).scalar_one_or_none()
    job = store_jobs.of_study(connection, study_uid) if study_uid is not None else None
    rows = _current(connection, job) if job is not None else []
    if study_uid is None or any(row.state == DeliveryState.PENDING for row in rows):
        return
    reason = f"the notice: {_judge(rows)[1]}"
    store_jobs.note(connection, study_uid, store_jobs.Move(at, reason, store_jobs.DELIVERY))


def finish(connection: Connection, at: datetime) -> list[Job]:
    """Move each DELIVERING job that has nothing left to send; returns every move.

    One that was sent again in part may have all its proof already, and moves twice.
    """
    finished = []
    for job in store_jobs.in_states(connection, State.DELIVERING):
        rows = _current(connection, job)
        if any(row.state == DeliveryState.PENDING for row in rows):
            continue
        to, reason = _judge(rows)
        if store_jobs.settle(connection, job, to, store_jobs.Move(at, reason, store_jobs.DELIVERY)):
            finished.append(job.moved(to, at, reason))
            confirmed = confirm(connection, job.study_instance_uid, at)
            finished += [confirmed] if confirmed else []
    return finished


def _current(connection: Connection, job: Job) -> list[Row[Any]]:
    query = (
        select(deliveries.c.destination, deliveries.c.state, deliveries.c.comment)
        .join(results, results.c.id == deliveries.c.result_id)
        .where(results.c.job_id == job.id, results.c.current)
        .order_by(deliveries.c.id)
    )
    return list(connection.execute(query))


def _judge(rows: list[Row[Any]]) -> tuple[State, str]:
    rows = [row for row in rows if row.state != DeliveryState.CANCELLED]  # let go by hand
    failed = [row for row in rows if row.state == DeliveryState.FAILED]
    if failed:
        places = ", ".join(sorted({row.destination for row in failed}))
        return State.FAILED, f"{len(failed)} of {len(rows)} not delivered to {places}: {failed[0].comment}"
    if not rows:
        return State.DELIVERED, "nothing is owed to any destination"
    warned = Counter(row.destination for row in rows if row.state == DeliveryState.WARNING)
    remark = "".join(f"; {count} with a warning from {name}" for name, count in sorted(warned.items()))
    return State.DELIVERED, f"{len(rows)} of {len(rows)} delivered{remark}"


def anything_open(connection: Connection) -> bool:
    """Whether an object waits to be sent, or to be proved."""
    pending = select(deliveries.c.id).where(deliveries.c.state == DeliveryState.PENDING.value)
    wanted = select(deliveries.c.id).where(deliveries.c.proof == ProofState.WANTED.value)
    return connection.execute(select(pending.exists() | wanted.exists())).scalar_one()


def of_study(connection: Connection, study_uid: str) -> list[Delivery]:
    """Every delivery of the study, of superseded results too, oldest first."""
    query = joined().where(jobs.c.study_instance_uid == study_uid)
    return [as_delivery(row) for row in connection.execute(query)]
