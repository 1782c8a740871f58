"""What destinations have proved of the objects they took."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, final

from sqlalchemy import Connection, Engine, delete, not_, select, update

from dicom_node.jobs import Job
from dicom_node.store import deliveries as store_deliveries
from dicom_node.store import jobs as store_jobs
from dicom_node.store import resend as store_resend
from dicom_node.store.confirming import confirm_all
from dicom_node.store.engine import transaction
from dicom_node.store.records import (
    ARRIVED,
    Delivery,
    ProofOutcome,
    ProofState,
    RememberedMethod,
)
from dicom_node.store.schema import (
    commitment_items,
    commitments,
    deliveries,
    proof_methods,
    results,
)
from dicom_node.store.sweeps import found_missing

MOST_AT_ONCE = 500
MOST_OPEN_TRANSACTIONS = 10_000
COMMITMENT = "commitment"
"""The method that goes by transactions."""
_OPEN = (ProofState.WANTED.value, ProofState.UNPROVEN.value)
_ARRIVED = tuple(state.value for state in ARRIVED)


@final
class Proofs:
    """A further face of the store's database. Thread-safe; every method may raise StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def due(self, destination: str, at: datetime) -> list[Delivery]:
        """Current objects that arrived at a destination and are to be asked about now, study by study."""
        query = store_deliveries.joined().where(
            deliveries.c.destination == destination,
            deliveries.c.state.in_(_ARRIVED),
            deliveries.c.proof.in_(_OPEN),
            deliveries.c.proof_due_at <= at,
            not_(found_missing()),
            results.c.current,
        )
        with transaction(self._engine, writes=False) as connection:
            rows = connection.execute(query.limit(MOST_AT_ONCE))
            return [store_deliveries.as_delivery(row) for row in rows]

    def open_transaction(
        self, transaction_uid: str, asked: Sequence[Delivery], at: datetime, again_at: datetime | None
    ) -> None:
        """Remember a request for commitment before it leaves us; its objects are asked about again later."""
        ids = [delivery.id for delivery in asked]
        opened = {"transaction_uid": transaction_uid, "destination": asked[0].destination, "asked_at": at}
        with transaction(self._engine, writes=True) as connection:
            connection.execute(commitments.insert().values(**opened))
            items = [{"transaction_uid": transaction_uid, "delivery_id": one} for one in ids]
            connection.execute(commitment_items.insert(), items)
            connection.execute(
                update(deliveries)
                .where(deliveries.c.id.in_(ids))
                .values(
                    proof_tries=deliveries.c.proof_tries + 1,
                    proof_due_at=again_at,
                    proof_method=COMMITMENT,
                )
            )

    def asked_in(self, transaction_uid: str) -> list[Delivery]:
        """What a transaction asked for; empty for one we never opened."""
        query = store_deliveries.joined().join(
            commitment_items, commitment_items.c.delivery_id == deliveries.c.id
        )
        with transaction(self._engine, writes=False) as connection:
            rows = connection.execute(query.where(commitment_items.c.transaction_uid == transaction_uid))
            return [store_deliveries.as_delivery(row) for row in rows]

    def close_transaction(self, transaction_uid: str, at: datetime) -> None:
        """Its report has come."""
        mine = commitments.c.transaction_uid == transaction_uid
        with transaction(self._engine, writes=True) as connection:
            connection.execute(update(commitments).where(mine).values(answered_at=at))

    def open_transactions(self) -> list[str]:
        """Transactions without a report, the latest first; not endlessly many."""
        query = (
            select(commitments.c.transaction_uid)
            .where(commitments.c.answered_at.is_(None))
            .order_by(commitments.c.asked_at.desc())
            .limit(MOST_OPEN_TRANSACTIONS)
        )
        with transaction(self._engine, writes=False) as connection:
            return list(connection.execute(query).scalars())

    def note(self, outcomes: Sequence[ProofOutcome], at: datetime) -> list[Job]:
        """Write down what came of asking, and move the studies it decides; returns them as moved.

        An object that is waiting to be sent again is past asking: what is said of it changes nothing.
        """
        with transaction(self._engine, writes=True) as connection:
            for outcome in outcomes:
                _write(connection, outcome, at)
            return confirm_all(connection, [outcome.delivery_id for outcome in outcomes], at)

    def waive(self, asked: Sequence[Delivery], at: datetime) -> list[Job]:
        """The destination knows no way to prove anything: these objects are not asked about any more."""
        ids = [delivery.id for delivery in asked]
        with transaction(self._engine, writes=True) as connection:
            connection.execute(
                update(deliveries)
                .where(deliveries.c.id.in_(ids))
                .values(proof=ProofState.UNASKED.value, proof_method="none", proof_due_at=None)
            )
            return confirm_all(connection, ids, at)

    def arrived(self, destination: str, since: datetime | None) -> list[Delivery]:
        """Current objects that we believe a destination holds, sent since then, study by study."""
        query = store_deliveries.joined().where(
            deliveries.c.destination == destination, deliveries.c.state.in_(_ARRIVED), results.c.current
        )
        if since is not None:
            query = query.where(deliveries.c.sent_at >= since)
        with transaction(self._engine, writes=False) as connection:
            return [store_deliveries.as_delivery(row) for row in connection.execute(query)]

    def resend(self, study_uid: str, wanted: Sequence[tuple[int, str]], at: datetime, reason: str) -> int:
        """Send (result, destination) pairs of a study again; how many were not waiting already.

        Raises:
            NotNow: the study is being read, is withheld, or has failed.
        """
        move = store_jobs.Move(at, reason, store_jobs.OPERATOR)
        with transaction(self._engine, writes=True) as connection:
            return store_resend.resend(connection, study_uid, wanted, move)

    def expire(self, sent_before: datetime, words: str, at: datetime) -> list[Job]:
        """What was sent so long ago and is still not proved is unproven; returns the studies that moves.

        Each object is found here once. It may still be proved.
        """
        late = (
            deliveries.c.proof == ProofState.WANTED.value,
            deliveries.c.sent_at <= sent_before,
            deliveries.c.result_id.in_(select(results.c.id).where(results.c.current)),
        )
        with transaction(self._engine, writes=False) as connection:
            rows = connection.execute(select(deliveries.c.id, deliveries.c.proof_comment).where(*late)).all()
        if not rows:
            return []
        with transaction(self._engine, writes=True) as connection:
            for row in rows:
                comment = f"{words}: {row.proof_comment}" if row.proof_comment else words
                connection.execute(
                    update(deliveries)
                    .where(deliveries.c.id == row.id, *late)
                    .values(proof=ProofState.UNPROVEN.value, proof_comment=comment)
                )
            return confirm_all(connection, [row.id for row in rows], at)

    def method(self, destination: str) -> RememberedMethod | None:
        """How this destination proves what it holds, if that was found out."""
        query = select(proof_methods).where(proof_methods.c.destination == destination)
        with transaction(self._engine, writes=False) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return RememberedMethod(
            row.destination, row.address, row.method, tuple(map(str, row.offered)), row.probed_at
        )

    def remember(self, found: RememberedMethod) -> None:
        """Keep what was found out, in place of what was known."""
        with transaction(self._engine, writes=True) as connection:
            _forget(connection, found.destination)
            values = asdict(found) | {"offered": list(found.offered)}
            connection.execute(proof_methods.insert().values(**values))

    def forget(self, destination: str) -> None:
        """Have it found out anew."""
        with transaction(self._engine, writes=True) as connection:
            _forget(connection, destination)


def _forget(connection: Connection, destination: str) -> None:
    connection.execute(delete(proof_methods).where(proof_methods.c.destination == destination))


def _write(connection: Connection, outcome: ProofOutcome, at: datetime) -> None:
    values: dict[str, Any] = {"proof_method": outcome.method, "proof_comment": outcome.comment}
    if outcome.resend:
        values |= store_resend.as_missing(outcome, at)
    else:
        counted_already = outcome.method == COMMITMENT  # when the transaction was opened
        tries = deliveries.c.proof_tries + (0 if counted_already else 1)
        values |= {"proof_due_at": outcome.again_at, "proof_tries": tries}
        if outcome.proof is not None:
            values["proof"] = outcome.proof.value
    mine = (deliveries.c.id == outcome.delivery_id) & deliveries.c.state.in_(_ARRIVED)
    if outcome.proof is not ProofState.PROVED:
        mine &= deliveries.c.proof.in_(_OPEN)  # of two answers, the better one counts
    connection.execute(update(deliveries).where(mine).values(**values))
