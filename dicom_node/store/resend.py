"""Objects that were delivered, sent again because somebody wants it. Runs in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from dicom_node.errors import NotNow
from dicom_node.jobs import Job, State
from dicom_node.store import jobs as store_jobs
from dicom_node.store.records import NOTICES, DeliveryState, ProofOutcome, ProofState
from dicom_node.store.retry import failed_delivering
from dicom_node.store.schema import deliveries, results

_LEAVES = frozenset({State.DELIVERED, State.COMMITTED, State.UNCONFIRMED})
_BUSY = frozenset({State.RECEIVING, State.READY, State.RUNNING})


def resend(
    connection: Connection, study_uid: str, wanted: Sequence[tuple[int, str]], move: store_jobs.Move
) -> int:
    """Queue (result, destination) pairs of the study's current results anew; how many did not wait already.

    A pair that was never queued, for a destination that is new, is queued like the others.

    Raises:
        NotNow: the study is being read, is withheld, or has failed.
    """
    job = store_jobs.of_study(connection, study_uid)
    if job is None:
        raise NotNow("the study has no job")
    current = dict(_current(connection, job))
    pairs = [pair for pair in wanted if pair[0] in current]
    stays = bool(current) and set(current.values()) <= set(NOTICES)
    _check(connection, job, stays)
    queued = sum(_queue(connection, pair, move.at) for pair in pairs)
    if queued and (stays or job.state is State.DELIVERING):
        store_jobs.note(connection, study_uid, move)
    elif queued:
        store_jobs.settle(connection, job, State.DELIVERING, move)
    return queued


def as_missing(outcome: ProofOutcome, at: datetime) -> dict[str, Any]:
    """A delivery that arrived and is not there, to be sent again; its age begins anew."""
    return {
        "state": DeliveryState.PENDING.value,
        "comment": outcome.comment,
        "proof_comment": outcome.comment,
        "next_try_at": outcome.again_at,
        "created_at": at,
        "resends": deliveries.c.resends + 1,
        "proof": ProofState.UNASKED.value,
        "proof_due_at": None,
    }


def _current(connection: Connection, job: Job) -> list[tuple[int, str]]:
    query = select(results.c.id, results.c.kind).where(results.c.job_id == job.id, results.c.current)
    return [(row.id, row.kind) for row in connection.execute(query)]


def _check(connection: Connection, job: Job, stays: bool) -> None:
    if job.alarm:
        raise NotNow(f"the study is withheld: {job.alarm}; `dicom-node retry` makes its result anew")
    if job.state in _BUSY:
        raise NotNow(f"the study is {job.state}; its new result will be sent when it is made")
    if stays or job.state in _LEAVES or job.state is State.DELIVERING or failed_delivering(connection, job):
        return
    raise NotNow(f"the study is {job.state}: {job.reason}; `dicom-node retry` runs it again")


def _queue(connection: Connection, pair: tuple[int, str], at: datetime) -> bool:
    result_id, destination = pair
    mine = (deliveries.c.result_id == result_id) & (deliveries.c.destination == destination)
    state = connection.execute(select(deliveries.c.state).where(mine)).scalar_one_or_none()
    if state == DeliveryState.PENDING:
        return False
    anew = {"state": DeliveryState.PENDING.value, "created_at": at, "next_try_at": at}
    if state is None:
        connection.execute(deliveries.insert().values(result_id=result_id, destination=destination, **anew))
        return True
    unasked = {"proof": ProofState.UNASKED.value, "proof_comment": "", "proof_tries": 0, "resends": 0}
    connection.execute(update(deliveries).where(mine).values(proof_due_at=None, **anew, **unasked))
    return True
