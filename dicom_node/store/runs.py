"""Runs and what they were made from: every statement runs in the caller's transaction."""

from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Row, select

from dicom_node.jobs import Job
from dicom_node.store.run_records import NewRun, Run, RunInput
from dicom_node.store.schema import jobs, run_inputs, runs

_AS_GIVEN = (
    *("seconds", "peak_rss_mb", "inputs_key"),
    *("request", "config", "installation", "findings"),
)
_OF_INPUT = tuple(field.name for field in fields(RunInput))


def add(connection: Connection, job: Job, run: NewRun) -> int:
    """Write down a run of `job`, as it was claimed, with the verdict that the job holds; its number."""
    verdict = connection.execute(select(jobs.c.verdict).where(jobs.c.id == job.id)).scalar_one()
    first, last = run.received or (None, None)
    values = {name: getattr(run, name) for name in _AS_GIVEN} | {
        "job_id": job.id,
        "generation": job.generation,
        "attempt": job.attempts,
        "received_first_at": first,
        "received_last_at": last,
        "claimed_at": job.changed_at,
        "recorded_at": run.at,
        "weights_sha256": run.model["weights_sha256"],
        "verdict": verdict or {},
    }
    run_id = int(connection.execute(runs.insert().values(**values).returning(runs.c.id)).scalar_one())
    if run.inputs:
        rows = [{name: getattr(one, name) for name in _OF_INPUT} | {"run_id": run_id} for one in run.inputs]
        connection.execute(run_inputs.insert(), rows)
    return run_id


def by_id(connection: Connection, run_id: int) -> Run:
    """One run."""
    query = select(runs, jobs.c.study_instance_uid).join(jobs, jobs.c.id == runs.c.job_id)
    row = connection.execute(query.where(runs.c.id == run_id)).one()
    return Run(**{one.name: getattr(row, one.name) for one in fields(Run)})


def inputs_of(connection: Connection, run_id: int) -> list[RunInput]:
    """Every file the run was given, by path."""
    query = select(run_inputs).where(run_inputs.c.run_id == run_id).order_by(run_inputs.c.path)
    return [as_input(row) for row in connection.execute(query)]


def as_input(row: Row[Any], prefix: str = "") -> RunInput:
    """The input of a row whose columns are called after it, behind `prefix`."""
    return RunInput(**{name: getattr(row, prefix + name) for name in _OF_INPUT})
