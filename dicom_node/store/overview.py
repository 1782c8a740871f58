"""How much there is of everything. It needs the tables alone of the store, so that `status` comes at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Engine, func, select

from dicom_node.store.engine import transaction
from dicom_node.store.schema import deliveries, jobs, results
from dicom_node.store.states import ProofState
from dicom_node.store.tally import total


@dataclass(frozen=True, slots=True)
class Counts:
    """Jobs and deliveries by their state, current images, alarms, and objects that are not proved."""

    jobs: Mapping[str, int]
    deliveries: Mapping[str, int]
    images: int
    alarms: int
    unproven: int


def counts(engine: Engine) -> Counts:
    """How many jobs, deliveries, current images and alarms there are.

    Raises:
        StoreUnavailable: the database cannot be read.
    """
    alarms = select(func.count()).where(jobs.c.alarm != "")
    unproven = (
        select(func.count())
        .select_from(deliveries)
        .join(results, results.c.id == deliveries.c.result_id)
        .where(results.c.current, deliveries.c.proof == ProofState.UNPROVEN.value)
    )
    with transaction(engine, writes=False) as connection:
        return Counts(
            jobs=_by_state(connection, jobs.c.state),
            deliveries=_by_state(connection, deliveries.c.state),
            images=total(connection),
            alarms=connection.execute(alarms).scalar_one(),
            unproven=connection.execute(unproven).scalar_one(),
        )


def _by_state(connection: Connection, state: Column[str]) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(select(state, func.count()).group_by(state))}
