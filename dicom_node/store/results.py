"""What we made, and where it went: every statement runs in the caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from dicom_node.jobs import Job, State
from dicom_node.routing import Routes
from dicom_node.store import jobs as store_jobs
from dicom_node.store import runs as store_runs
from dicom_node.store.engine import insert_missing
from dicom_node.store.records import DOCUMENTS, DeliveryState, NewResult, Result
from dicom_node.store.run_records import NewRun
from dicom_node.store.schema import deliveries, jobs, models, results

SUPERSEDED = "superseded before it was sent"


def record(connection: Connection, job: Job, made: Sequence[NewResult], routes: Routes, run: NewRun) -> bool:
    """Settle a RUNNING job with its results in one go; see `Store.record_results`."""
    to = State.DELIVERING if addressed(made, routes, run) else State.DELIVERED
    move = store_jobs.Move(run.at, told(made, routes, run), store_jobs.WORKER)
    if not store_jobs.settle(connection, job, to, move):
        return False
    replace(connection, job, made, routes, run)
    return True


def addressed(made: Sequence[NewResult], routes: Routes, run: NewRun) -> tuple[str, ...]:
    """The destinations that any of these objects goes to."""
    return routes.reached_by((one.kind for one in made), _model_name(run))


def told(made: Sequence[NewResult], routes: Routes, run: NewRun) -> str:
    """How many objects were made, and for whom."""
    places = addressed(made, routes, run)
    nobody = "no destination accepts them" if routes.all else "no destination is configured"
    return f"{len(made)} objects made" + (f" for {', '.join(places)}" if places else f", {nobody}")


def _model_name(run: NewRun) -> str:
    """What routes know the model by; empty for a notice, which is no model's."""
    return str(run.model.get("name", ""))


def replace(connection: Connection, job: Job, made: Sequence[NewResult], routes: Routes, run: NewRun) -> None:
    """Remember `run`, and make these the current results of `job`, a delivery for each place it goes to."""
    weights = run.model["weights_sha256"]
    seen = {"weights_sha256": weights, "manifest": dict(run.model), "first_seen_at": run.at}
    insert_missing(connection, models, [seen])
    supersede(connection, job, run.at, SUPERSEDED)
    common = {
        "job_id": job.id,
        "run_id": store_runs.add(connection, job, run),
        "generation": job.generation,
        "weights_sha256": weights,
        "inputs_key": run.inputs_key,
        "made_at": run.at,
        "current": True,
    }
    insert = results.insert().returning(results.c.id, sort_by_parameter_order=True)
    ids = connection.execute(insert, [asdict(one) | common for one in made]).scalars() if made else ()
    routed = [(number, routes.to(one.kind, _model_name(run))) for number, one in zip(ids, made, strict=True)]
    _queue(connection, routed, run.at)


def supersede(connection: Connection, job: Job, at: datetime, comment: str) -> None:
    """What stands of `job` stands no longer; what was not sent never will be, and `comment` says why."""
    old = select(results.c.id).where(results.c.job_id == job.id, results.c.current).scalar_subquery()
    unsent = (DeliveryState.PENDING.value, DeliveryState.FAILED.value)
    connection.execute(
        update(deliveries)
        .where(deliveries.c.result_id.in_(old), deliveries.c.state.in_(unsent))
        .values(state=DeliveryState.CANCELLED.value, comment=comment)
    )
    connection.execute(
        update(results)
        .where(results.c.job_id == job.id, results.c.current)
        .values(current=False, superseded_at=at)
    )


def _queue(connection: Connection, routed: Iterable[tuple[int, Sequence[str]]], at: datetime) -> None:
    """One delivery for each place that a result goes to, in the order of the results."""
    pending = {"state": DeliveryState.PENDING.value, "created_at": at, "next_try_at": at}
    rows = [
        {"result_id": number, "destination": name, **pending} for number, names in routed for name in names
    ]
    if rows:
        connection.execute(deliveries.insert(), rows)


def of_study(connection: Connection, study_uid: str) -> list[Result]:
    """Everything we ever made of the study, oldest first."""
    query = (
        select(results)
        .join(jobs, jobs.c.id == results.c.job_id)
        .where(jobs.c.study_instance_uid == study_uid)
        .order_by(results.c.id)
    )
    return [as_result(row) for row in connection.execute(query)]


def reached(connection: Connection, study_uid: str) -> list[Result]:
    """SRs, notices too, that some destination may hold: sent, or handed to a sender and not surely lost."""
    query = (
        select(results)
        .join(jobs, jobs.c.id == results.c.job_id)
        .where(jobs.c.study_instance_uid == study_uid, results.c.kind.in_(DOCUMENTS))
        .where(
            select(deliveries.c.id)
            .where(deliveries.c.result_id == results.c.id, deliveries.c.attempts > deliveries.c.misses)
            .exists()
        )
        .order_by(results.c.id)
    )
    return [as_result(row) for row in connection.execute(query)]


def as_result(row: Row[Any]) -> Result:
    """The result of a row that has a result's columns."""
    return Result(**{name: getattr(row, name) for name in Result.__slots__})
