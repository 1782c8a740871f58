"""What models in the shadow are to be asked, and what every model said. Nothing here is ever delivered."""

from dataclasses import asdict
from typing import Any, final

from sqlalchemy import ColumnElement, Engine, select

from dicom_node.store.engine import insert_missing, transaction
from dicom_node.store.model_records import Said, ShadowAnswer, ShadowTask, Standing
from dicom_node.store.registered import lineup_of
from dicom_node.store.run_records import NOBODY
from dicom_node.store.schema import jobs, runs
from dicom_node.store.schema_models import registered_models, shadow_answers


@final
class Shadows:
    """A further face of the store's database. Thread-safe; every method may raise StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def next(self) -> ShadowTask | None:
        """The oldest run, since a model went into the shadow, to which it has not answered; None: all did."""
        with transaction(self._engine, writes=False) as connection:
            query = (
                select(runs.c.id, jobs.c.study_instance_uid, registered_models.c.digest)
                .join(jobs, jobs.c.id == runs.c.job_id)
                .join(registered_models, runs.c.recorded_at >= registered_models.c.since)
                .where(
                    registered_models.c.standing == Standing.SHADOW.value,
                    registered_models.c.digest.not_in(lineup_of(connection)),
                    runs.c.weights_sha256 != NOBODY,
                    ~_answered(),
                )
                .order_by(runs.c.id, registered_models.c.digest)
                .limit(1)
            )
            row = connection.execute(query).one_or_none()
            return None if row is None else ShadowTask(*row)

    def note(self, task: ShadowTask, answer: ShadowAnswer) -> None:
        """Write an answer down, once."""
        row = asdict(answer) | {"run_id": task.run_id, "digest": task.digest}
        with transaction(self._engine, writes=True) as connection:
            insert_missing(connection, shadow_answers, [row])

    def said(self) -> list[Said]:
        """Every answer to the inputs of a run, reported or in the shadow, oldest run first."""
        reported = (
            select(runs.c.id, jobs.c.study_instance_uid, runs.c.findings)
            .join(jobs, jobs.c.id == runs.c.job_id)
            .where(runs.c.weights_sha256 != NOBODY)
            .order_by(runs.c.id)
        )
        shadow = (
            select(shadow_answers, jobs.c.study_instance_uid)
            .join(runs, runs.c.id == shadow_answers.c.run_id)
            .join(jobs, jobs.c.id == runs.c.job_id)
            .where(shadow_answers.c.probability.is_not(None))
            .order_by(runs.c.id)
        )
        with transaction(self._engine, writes=False) as connection:
            return [
                *(_reported(*row) for row in connection.execute(reported)),
                *(
                    Said(row.run_id, row.study_instance_uid, {}, row.digest, row.probability, row.threshold)
                    for row in connection.execute(shadow)
                ),
            ]

    def outcomes(self, digest: str) -> dict[str, int]:
        """How often a model in the shadow was asked, by how that ended."""
        query = select(shadow_answers.c.outcome).where(shadow_answers.c.digest == digest)
        with transaction(self._engine, writes=False) as connection:
            found = list(connection.execute(query).scalars())
        return {one: found.count(one) for one in sorted(set(found))}


def _answered() -> ColumnElement[bool]:
    this = (shadow_answers.c.run_id == runs.c.id) & (shadow_answers.c.digest == registered_models.c.digest)
    return select(shadow_answers.c.run_id).where(this).exists()


def _reported(run_id: int, study: str, findings: Any) -> Said:
    return Said(run_id, study, findings["model"], "", findings["probability"], findings["threshold"])
