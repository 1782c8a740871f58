"""The models that were imported, and which of them answer: every change with who made it, when and why."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, final

from sqlalchemy import Connection, Engine, Row, func, select, update

from dicom_node.store.engine import insert_missing, transaction
from dicom_node.store.model_records import BEGINNING, Deed, ModelAct, NewAct, RegisteredModel, Standing
from dicom_node.store.schema_models import model_acts, registered_models


@final
class RegisteredModels:
    """A further face of the store's database. Thread-safe; every method may raise StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def lineup(self) -> tuple[str, ...]:
        """Who is asked about a study, first to last: digests, and `CONFIGURED`."""
        with transaction(self._engine, writes=False) as connection:
            return lineup_of(connection)

    def all(self) -> list[RegisteredModel]:
        """Every model, the latest first."""
        query = select(registered_models).order_by(registered_models.c.imported_at.desc())
        with transaction(self._engine, writes=False) as connection:
            active = lineup_of(connection)
            return [_as_model(row, active) for row in connection.execute(query)]

    def acts(self) -> list[ModelAct]:
        """All that was done, oldest first."""
        with transaction(self._engine, writes=False) as connection:
            return [_as_act(row) for row in connection.execute(select(model_acts).order_by(model_acts.c.id))]

    def add(self, model: RegisteredModel, act: NewAct) -> None:
        """Take a model in. Of one that is known nothing changes but its standing and who vouches for it."""
        row = asdict(model) | {"standing": model.standing.value}
        again = {name: row[name] for name in ("standing", "since", "origin", "signer")}
        held = registered_models.c.digest == model.digest
        with transaction(self._engine, writes=True) as connection:
            insert_missing(connection, registered_models, [row])
            connection.execute(update(registered_models).where(held).values(**again))
            _write(connection, act, lineup_of(connection))

    def record(
        self, act: NewAct, lineup: Sequence[str], standing: Standing | None, *, after: int | None
    ) -> bool:
        """Write down an act, the line-up from now on, and how its model stands if that changes.

        Returns:
            False, and nothing is written, if something was done since the act `after`.
        """
        with transaction(self._engine, writes=True) as connection:
            if connection.execute(select(func.max(model_acts.c.id))).scalar() != after:
                return False
            if standing is not None:
                values = {"standing": standing.value, "since": act.at}
                held = registered_models.c.digest == act.digest
                connection.execute(update(registered_models).where(held).values(**values))
            _write(connection, act, lineup)
            return True


def _write(connection: Connection, act: NewAct, lineup: Sequence[str]) -> None:
    row = asdict(act) | {"what": act.what.value, "lineup": list(lineup)}
    connection.execute(model_acts.insert().values(**row))


def lineup_of(connection: Connection) -> tuple[str, ...]:
    """`RegisteredModels.lineup`, in the caller's transaction."""
    query = select(model_acts.c.lineup).order_by(model_acts.c.id.desc()).limit(1)
    found = connection.execute(query).scalar_one_or_none()
    return BEGINNING if found is None else tuple(found)


def _as_model(row: Row[Any], active: Sequence[str]) -> RegisteredModel:
    values = row._asdict()
    standing = Standing.ACTIVE if row.digest in active else Standing(row.standing)
    return RegisteredModel(**values | {"standing": standing})


def _as_act(row: Row[Any]) -> ModelAct:
    return ModelAct(**row._asdict() | {"what": Deed(row.what), "lineup": tuple(row.lineup)})
