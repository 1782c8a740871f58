"""How long images stay: which studies could go, what went, and what is remembered of it.

A removal is three steps, so that a crash between any two leaves nothing to guess: the rows are marked and
the history says so (`mark`), the files are deleted, the rows say that they are gone (`finish`). Rows, facts,
jobs, results and runs stay.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, final

from sqlalchemy import Engine, Select, func, select, update

from dicom_node.jobs import Job, State
from dicom_node.store import jobs as store_jobs
from dicom_node.store import results as store_results
from dicom_node.store.engine import transaction
from dicom_node.store.images import chunks
from dicom_node.store.keeping_records import KeptStudy, MarkedFile, NumberedEvent
from dicom_node.store.records import ARRIVED, ProofState
from dicom_node.store.schema import deliveries, instances, job_events, jobs, results, run_inputs
from dicom_node.store.tally import recount

if TYPE_CHECKING:
    from pipeline import InstanceFacts

_IMAGE = instances.c.path.endswith(".dcm")
_PENDING = instances.c.removed_at.is_not(None) & instances.c.missing_since.is_(None)
_OF_EVENT = ("at", "from_state", "to_state", "reason", "actor")
_HELD = instances.c.removed_at.is_(None) & instances.c.missing_since.is_(None)


@final
class Keeping:
    """A further face of the store's database. Thread-safe; every method may raise StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def studies(self, states: Iterable[State]) -> list[KeptStudy]:
        """Studies in these states whose images could go, the one that came longest ago first.

        None that is withheld, and none with an object that stands and did not arrive, or is still to be
        proved, anywhere it was meant for.
        """
        last = (
            select(instances.c.study_instance_uid, func.max(instances.c.received_at).label("last"))
            .where(_IMAGE, _HELD)
            .group_by(instances.c.study_instance_uid)
            .subquery()
        )
        query = (
            select(*store_jobs.COLUMNS, last.c.last)
            .join(last, last.c.study_instance_uid == jobs.c.study_instance_uid)
            .where(jobs.c.state.in_([state.value for state in states]), jobs.c.alarm == "")
            .where(jobs.c.id.not_in(_at_risk()))
            .order_by(last.c.last, jobs.c.id)
        )
        with transaction(self._engine, writes=False) as connection:
            rows = connection.execute(query).all()
        return [KeptStudy(store_jobs.as_job(row), max(row.last, row.changed_at)) for row in rows]

    def image_paths(self, study_uid: str) -> list[str]:
        """The files of the study that retention may remove; notes on what was not kept stay."""
        query = select(instances.c.path).where(instances.c.study_instance_uid == study_uid, _IMAGE, _HELD)
        with transaction(self._engine, writes=False) as connection:
            return list(connection.execute(query).scalars())

    def mark(self, study: KeptStudy, reason: str, at: datetime) -> bool:
        """Say of every image of the study that it goes; False, and nothing written, if it has moved."""
        uid = study.job.study_instance_uid
        gone = {"removed_at": at, "kept": False, "unusable": f"removed on {at:%Y-%m-%d}: {reason}"}
        with transaction(self._engine, writes=True) as connection:
            if store_jobs.of_study(connection, uid) != study.job:
                return False
            images = update(instances).where(instances.c.study_instance_uid == uid, _IMAGE, _HELD)
            count = connection.execute(images.values(**gone)).rowcount
            told = store_jobs.Move(at, f"{count} images removed: {reason}", store_jobs.RETENTION)
            store_jobs.note(connection, uid, told)
            recount(connection, [uid])
        return True

    def marked(self) -> list[MarkedFile]:
        """Files that are to be deleted; some may be gone already."""
        query = select(instances.c.path, instances.c.removed_at).where(_PENDING).order_by(instances.c.path)
        with transaction(self._engine, writes=False) as connection:
            return [MarkedFile(row.path, row.removed_at) for row in connection.execute(query)]

    def finish(self, paths: Iterable[str], at: datetime) -> None:
        """These files are gone now. One that came back meanwhile stays."""
        with transaction(self._engine, writes=True) as connection:
            for some in chunks(paths):
                gone = update(instances).where(instances.c.path.in_(some), _PENDING)
                connection.execute(gone.values(missing_since=at))

    def removed_at(self, study_uid: str) -> datetime | None:
        """When images of the study were last removed and did not come back; None if there are none such."""
        query = select(func.max(instances.c.removed_at)).where(instances.c.study_instance_uid == study_uid)
        with transaction(self._engine, writes=False) as connection:
            return connection.execute(query).scalar_one_or_none()

    def absent_sources(self, study_uid: str) -> int:
        """How many images behind the report that stands are not here.

        Without such a report: how many were removed and are not back.
        """
        with transaction(self._engine, writes=False) as connection:
            sources = set(connection.execute(_used(study_uid)).scalars())
            if not sources:
                sources = set(connection.execute(_removed(study_uid)).scalars())
            held = select(instances.c.sop_instance_uid).where(
                instances.c.study_instance_uid == study_uid, instances.c.kept, _HELD
            )
            return len(sources - set(connection.execute(held).scalars())) if sources else 0

    def known_facts(self, study_uid: str) -> "list[InstanceFacts]":
        """Header facts of the study's images, also of those that were removed or lost, by path."""
        from pipeline import InstanceFacts  # as in `Store.facts`

        query = (
            select(instances.c.facts)
            .where(instances.c.study_instance_uid == study_uid, instances.c.current)
            .where(instances.c.facts.is_not(None))
            .order_by(instances.c.path)
        )
        with transaction(self._engine, writes=False) as connection:
            return [InstanceFacts.from_json(one) for one in connection.execute(query).scalars()]

    def last_event(self) -> int:
        """The number of the youngest line in all studies' histories; 0 without any."""
        with transaction(self._engine, writes=False) as connection:
            return connection.execute(select(func.max(job_events.c.id))).scalar_one() or 0

    def events_after(self, number: int, limit: int) -> list[NumberedEvent]:
        """The lines behind that number, oldest first."""
        columns = [getattr(job_events.c, name) for name in _OF_EVENT]
        query = (
            select(job_events.c.id, jobs.c.study_instance_uid, *columns)
            .join(jobs, jobs.c.id == job_events.c.job_id)
            .where(job_events.c.id > number)
            .order_by(job_events.c.id)
            .limit(limit)
        )
        with transaction(self._engine, writes=False) as connection:
            return [NumberedEvent(*row) for row in connection.execute(query)]

    def has_report(self, job: Job) -> bool:
        """Whether a report with a result stands for the study."""
        with transaction(self._engine, writes=False) as connection:
            found = store_results.of_study(connection, job.study_instance_uid)
        return any(one.current and one.kind == "sr" for one in found)


def _at_risk() -> Select[Any]:
    """The jobs with a current object that did not arrive somewhere, or is still to be proved there."""
    arrived = [state.value for state in ARRIVED]
    settled = [ProofState.UNASKED.value, ProofState.PROVED.value]
    lost = deliveries.c.state.not_in(arrived) | deliveries.c.proof.not_in(settled)
    return (
        select(results.c.job_id)
        .join(deliveries, deliveries.c.result_id == results.c.id)
        .where(results.c.current, lost)
    )


def _used(study_uid: str) -> Select[Any]:
    return (
        select(run_inputs.c.sop_instance_uid)
        .join(results, results.c.run_id == run_inputs.c.run_id)
        .join(jobs, jobs.c.id == results.c.job_id)
        .where(jobs.c.study_instance_uid == study_uid, results.c.current, run_inputs.c.used)
        .distinct()
    )


def _removed(study_uid: str) -> Select[Any]:
    return select(instances.c.sop_instance_uid).where(
        instances.c.study_instance_uid == study_uid,
        instances.c.removed_at.is_not(None),
        instances.c.facts.is_not(None),
    )
