"""When the world changes under what is to be sent: a destination is gone, the time of day was set.

Every statement runs in the caller's transaction.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, select, update

from dicom_node.jobs import Job
from dicom_node.store import jobs as store_jobs
from dicom_node.store.confirming import confirm, confirm_all
from dicom_node.store.records import DeliveryState, ProofState
from dicom_node.store.schema import deliveries, jobs, results

_ASKED = (ProofState.WANTED.value, ProofState.UNPROVEN.value)
_GONE = "{} is no longer a destination in config.yaml; put it back, or `retry` lets it go"
_LET_GO = "let go: {} is no longer a destination in config.yaml"


def fail(connection: Connection, known: Collection[str], at: datetime) -> int:
    """Fail what waits for a destination that is not `known`; the studies' history says so. How many."""
    waiting = (
        select(deliveries.c.id, deliveries.c.destination, jobs.c.study_instance_uid)
        .join(results, results.c.id == deliveries.c.result_id)
        .join(jobs, jobs.c.id == results.c.job_id)
        .where(deliveries.c.state == DeliveryState.PENDING.value, results.c.current)
        .where(deliveries.c.destination.not_in(sorted(known)))
    )
    rows = connection.execute(waiting).all()
    for row in rows:
        comment = _GONE.format(row.destination)
        failed = {"state": DeliveryState.FAILED.value, "comment": comment}
        connection.execute(update(deliveries).where(deliveries.c.id == row.id).values(**failed))
    for study, name in sorted({(row.study_instance_uid, row.destination) for row in rows}):
        store_jobs.note(connection, study, store_jobs.Move(at, _GONE.format(name), store_jobs.DELIVERY))
    return len(rows)


def doubt(connection: Connection, known: Collection[str], at: datetime) -> list[Job]:
    """What arrived at a destination that is not `known` is not proved by anybody; the studies that moves.

    If the destination comes back, it is asked again.
    """
    asked = _asked(known).where(deliveries.c.proof == ProofState.WANTED.value)
    rows = connection.execute(asked).all()
    for row in rows:
        unproven = {"proof": ProofState.UNPROVEN.value, "proof_comment": _GONE.format(row.destination)}
        connection.execute(update(deliveries).where(deliveries.c.id == row.id).values(**unproven))
    return confirm_all(connection, [row.id for row in rows], at)


def excuse(connection: Connection, study_uid: str, known: Collection[str], at: datetime) -> int:
    """Ask for no proof any more from destinations that are not `known`; of how many objects of the study."""
    open_proofs = (ProofState.WANTED.value, ProofState.UNPROVEN.value)
    rows = connection.execute(
        _asked(known).where(jobs.c.study_instance_uid == study_uid, deliveries.c.proof.in_(open_proofs))
    ).all()
    for row in rows:
        excused = {"proof": ProofState.UNASKED.value, "proof_comment": _LET_GO.format(row.destination)}
        connection.execute(
            update(deliveries).where(deliveries.c.id == row.id).values(proof_due_at=None, **excused)
        )
    confirm(connection, study_uid, at)
    return len(rows)


def _asked(known: Collection[str]) -> Select[Any]:
    return (
        select(deliveries.c.id, deliveries.c.destination)
        .join(results, results.c.id == deliveries.c.result_id)
        .join(jobs, jobs.c.id == results.c.job_id)
        .where(results.c.current, deliveries.c.destination.not_in(sorted(known)))
    )


def cancel(connection: Connection, study_uid: str, known: Collection[str]) -> int:
    """Cancel what the study still owes to destinations that are not `known`; how many."""
    unsent = (DeliveryState.PENDING.value, DeliveryState.FAILED.value)
    owed = _asked(known).where(jobs.c.study_instance_uid == study_uid, deliveries.c.state.in_(unsent))
    rows = connection.execute(owed).all()
    for row in rows:
        gone = {"state": DeliveryState.CANCELLED.value, "comment": _LET_GO.format(row.destination)}
        connection.execute(update(deliveries).where(deliveries.c.id == row.id).values(**gone))
    return len(rows)


def shift(connection: Connection, by: timedelta) -> None:
    """Move age and next try of what is to be sent or proved, so that it is neither given up nor forgotten.

    When it was sent moves with it: what is told by the new time of day, and what `Proofs.expire` counts from.
    """
    times = (deliveries.c.id, deliveries.c.created_at, deliveries.c.next_try_at)
    for row in connection.execute(
        select(*times).where(deliveries.c.state == DeliveryState.PENDING.value)
    ).all():
        moved = {"created_at": row.created_at + by, "next_try_at": row.next_try_at + by}
        connection.execute(update(deliveries).where(deliveries.c.id == row.id).values(**moved))
    asked = select(deliveries.c.id, deliveries.c.sent_at, deliveries.c.proof_due_at).where(
        deliveries.c.proof.in_(_ASKED)
    )
    for delivery_id, sent_at, due_at in connection.execute(asked).all():
        stood = {"sent_at": sent_at, "proof_due_at": due_at}
        moved = {name: at + by for name, at in stood.items() if at is not None}
        connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(**moved))
