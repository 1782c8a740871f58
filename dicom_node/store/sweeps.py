"""What was proved once, looked for again: is it still there?

For an object that was proved, `proof_due_at` is when it is looked for next. One that is found missing is
unproven by the method `SWEEP`, and proved again when it is back; questions of the prover do not touch it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, final

from sqlalchemy import ColumnElement, Connection, Engine, and_, func, or_, select, update

from dicom_node.jobs import Job
from dicom_node.store import deliveries as store_deliveries
from dicom_node.store import jobs as store_jobs
from dicom_node.store.confirming import confirm, confirm_all
from dicom_node.store.engine import transaction
from dicom_node.store.records import ARRIVED, Delivery, DeliveryState, ProofOutcome, ProofState
from dicom_node.store.resend import as_missing
from dicom_node.store.schema import deliveries, jobs, results

SWEEP = "sweep"
"""By which an object was found missing that had been proved."""
MOST_AT_ONCE = 500
"""So many objects are looked for in one round at one destination."""
_ACCEPTED = "removed there, which was accepted by hand"


def found_missing() -> ColumnElement[bool]:
    """Rows that a sweep has found missing."""
    return and_(deliveries.c.proof == ProofState.UNPROVEN.value, deliveries.c.proof_method == SWEEP)


def _arrived() -> ColumnElement[bool]:
    return deliveries.c.state.in_([state.value for state in ARRIVED])


def _looked_for() -> ColumnElement[bool]:
    """Arrived, and proved, or found missing: what is waiting for its first proof is the prover's."""
    return and_(_arrived(), or_(deliveries.c.proof == ProofState.PROVED.value, found_missing()))


@final
class Sweeps:
    """A further face of the store's database. Thread-safe; every method may raise StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def due(self, destination: str, at: datetime, every: timedelta, oldest: datetime) -> list[Delivery]:
        """Current objects that are to be looked for now, not endlessly many; none sent before `oldest`."""
        first = and_(deliveries.c.proof_due_at.is_(None), deliveries.c.sent_at <= at - every)
        query = store_deliveries.joined().where(
            deliveries.c.destination == destination,
            _looked_for(),
            deliveries.c.sent_at >= oldest,
            or_(first, deliveries.c.proof_due_at <= at),
            results.c.current,
        )
        with transaction(self._engine, writes=False) as connection:
            rows = connection.execute(query.limit(MOST_AT_ONCE))
            return [store_deliveries.as_delivery(row) for row in rows]

    def note(self, outcomes: Sequence[ProofOutcome], at: datetime) -> list[Job]:
        """Write down what was found, and move the studies it decides; returns them as moved.

        What was sent again or superseded meanwhile stays as it is. An outcome without a proof only puts
        the next look off.
        """
        with transaction(self._engine, writes=True) as connection:
            for outcome in outcomes:
                mine = and_(deliveries.c.id == outcome.delivery_id, _looked_for())
                connection.execute(update(deliveries).where(mine).values(**_values(outcome, at)))
            return confirm_all(connection, [outcome.delivery_id for outcome in outcomes], at)

    def accept(self, study_uid: str, missing: Sequence[tuple[int, str]], at: datetime) -> int:
        """These (result, destination) pairs were removed there on purpose, and owed no more; how many."""
        with transaction(self._engine, writes=True) as connection:
            accepted = sum(_let_go(connection, pair) for pair in missing)
            if accepted:
                reason = f"{accepted} objects {_ACCEPTED}"
                store_jobs.note(connection, study_uid, store_jobs.Move(at, reason, store_jobs.OPERATOR))
                confirm(connection, study_uid, at)
        return accepted

    def unproven(self, destination: str) -> int:
        """How many current objects a destination took and has not proved in time, or holds no longer."""
        query = (
            select(func.count())
            .select_from(deliveries)
            .join(results, results.c.id == deliveries.c.result_id)
            .join(jobs, jobs.c.id == results.c.job_id)
            .where(deliveries.c.destination == destination, results.c.current)
            .where(deliveries.c.proof == ProofState.UNPROVEN.value)
        )
        with transaction(self._engine, writes=False) as connection:
            return connection.execute(query).scalar_one()


def _values(outcome: ProofOutcome, at: datetime) -> dict[str, Any]:
    if outcome.resend:
        return {"proof_method": outcome.method} | as_missing(outcome, at)
    if outcome.proof is None:
        return {"proof_due_at": outcome.again_at}
    return {
        "proof": outcome.proof.value,
        "proof_method": outcome.method,
        "proof_comment": outcome.comment,
        "proof_due_at": outcome.again_at,
    }


def _let_go(connection: Connection, pair: tuple[int, str]) -> int:
    mine = and_(deliveries.c.result_id == pair[0], deliveries.c.destination == pair[1], _arrived())
    gone = {"state": DeliveryState.CANCELLED.value, "comment": _ACCEPTED, "proof_due_at": None}
    gone |= {"proof": ProofState.UNASKED.value, "proof_comment": ""}
    return connection.execute(update(deliveries).where(mine).values(**gone)).rowcount
