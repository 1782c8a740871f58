"""What the operator's "again" means, by where the study stands. Runs in the caller's transaction."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from dicom_node.jobs import Job, State
from dicom_node.store import jobs as store_jobs
from dicom_node.store.records import DeliveryState
from dicom_node.store.schema import deliveries, job_events, results


def retry(connection: Connection, study_uid: str, at: datetime) -> bool:
    """Run again what failed to run, send again what was not sent; False if there is nothing of the kind.

    An operator who tries again has seen to the alarm, if there is one: it ends.
    """
    job = store_jobs.of_study(connection, study_uid)
    if job is None:
        return False
    if job.alarm:
        ended = store_jobs.Move(at, "the alarm was ended by hand", store_jobs.OPERATOR)
        store_jobs.set_alarm(connection, job, "", ended)
    return _retry(connection, job, at) or bool(job.alarm)


def _retry(connection: Connection, job: Job, at: datetime) -> bool:
    move = store_jobs.Move(at, "tried again by hand", store_jobs.OPERATOR)
    if job.state is State.DELIVERING:
        renewed = _renew_deliveries(connection, job, at)
        if renewed:
            store_jobs.note(connection, job.study_instance_uid, move)
        return renewed
    if failed_delivering(connection, job) and _renew_deliveries(connection, job, at):
        return store_jobs.settle(connection, job, State.DELIVERING, move)
    if job.state not in (State.FAILED, State.REJECTED):
        return False
    _renew_deliveries(connection, job, at)  # of a notice that still stands after the run
    return store_jobs.rerun(connection, job, move)


def failed_delivering(connection: Connection, job: Job) -> bool:
    """Whether a FAILED study failed while its results went out, not while it ran; its history knows."""
    if job.state is not State.FAILED:
        return False
    last = (
        select(job_events.c.from_state)
        .where(job_events.c.job_id == job.id, job_events.c.to_state == State.FAILED.value)
        .order_by(job_events.c.id.desc())
        .limit(1)
    )
    return connection.execute(last).scalar_one_or_none() == State.DELIVERING.value


def _renew_deliveries(connection: Connection, job: Job, at: datetime) -> bool:
    """Make unsent ones due now. Their age begins anew, or they would be given up at the first failure."""
    current = select(results.c.id).where(results.c.job_id == job.id, results.c.current)
    unsent = (DeliveryState.PENDING.value, DeliveryState.FAILED.value)
    renewed = connection.execute(
        update(deliveries)
        .where(deliveries.c.result_id.in_(current), deliveries.c.state.in_(unsent))
        .values(state=DeliveryState.PENDING.value, next_try_at=at, created_at=at)
    )
    return renewed.rowcount > 0
