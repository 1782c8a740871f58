"""From a UID, a model or an image to what we made: every statement runs in the caller's transaction."""

from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from dicom_node.store.results import as_result
from dicom_node.store.run_records import NOBODY, OwnObject, ReceivedInstance, RunInput
from dicom_node.store.runs import as_input
from dicom_node.store.schema import deliveries, instances, jobs, models, results, run_inputs


def models_like(connection: Connection, prefix: str) -> dict[str, dict[str, Any]]:
    """The models whose weights' digest begins so, with what is known of each, the first seen first.

    Nobody, whose digest is empty and who makes notices, is no model.
    """
    query = select(models.c.weights_sha256, models.c.manifest).order_by(models.c.first_seen_at)
    begins = models.c.weights_sha256.startswith(prefix, autoescape=True)
    query = query.where(begins, models.c.weights_sha256 != NOBODY)
    return {row.weights_sha256: dict(row.manifest) for row in connection.execute(query)}


def objects_named(connection: Connection, sop_instance_uid: str) -> list[OwnObject]:
    """Our results that go by this UID, here or at a destination, oldest first."""
    own = _own(connection, _results().where(results.c.sop_instance_uid == sop_instance_uid))
    sent = _results().add_columns(deliveries.c.sent_sop_class_uid)
    sent = sent.join(deliveries, deliveries.c.result_id == results.c.id).distinct()
    return own or [
        replace(_as_object(row), sent_sop_class_uid=row.sent_sop_class_uid)
        for row in connection.execute(sent.where(deliveries.c.sent_sop_instance_uid == sop_instance_uid))
    ]


def objects_of_model(connection: Connection, weights_sha256: str) -> list[OwnObject]:
    """What this model's answers became, oldest first; also from before runs were remembered."""
    return _own(connection, _results().where(results.c.weights_sha256 == weights_sha256))


def objects_from_instance(connection: Connection, sop_instance_uid: str) -> list[tuple[OwnObject, RunInput]]:
    """What was made of this instance, oldest first, each object with the file that its run was given."""
    inputs = [getattr(run_inputs.c, one.name).label(f"input_{one.name}") for one in fields(RunInput)]
    query = (
        _results()
        .add_columns(*inputs)
        .join(run_inputs, run_inputs.c.run_id == results.c.run_id)
        .where(run_inputs.c.sop_instance_uid == sop_instance_uid)
    )
    return [(_as_object(row), as_input(row, "input_")) for row in connection.execute(query)]


def received(connection: Connection, sop_instance_uid: str) -> list[ReceivedInstance]:
    """What came in under this UID, oldest first: images, and notes on what was not kept."""
    query = (
        select(instances.c.study_instance_uid, instances.c.kept, instances.c.unusable)
        .where(instances.c.sop_instance_uid == sop_instance_uid)
        .order_by(instances.c.received_at, instances.c.id)
    )
    return [
        ReceivedInstance(row.study_instance_uid or "", row.kept, row.unusable)
        for row in connection.execute(query)
    ]


def _results() -> Select[Any]:
    return (
        select(results, jobs.c.study_instance_uid)
        .join(jobs, jobs.c.id == results.c.job_id)
        .order_by(results.c.id)
    )


def _own(connection: Connection, query: Select[Any]) -> list[OwnObject]:
    return [_as_object(row) for row in connection.execute(query)]


def _as_object(row: Row[Any]) -> OwnObject:
    return OwnObject(as_result(row), row.study_instance_uid)
