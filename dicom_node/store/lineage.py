"""Where results came from and what became of images and models: for people, reading only."""

from collections.abc import Mapping
from typing import Any, final

from sqlalchemy import Engine

from dicom_node.store import origins as store_origins
from dicom_node.store import runs as store_runs
from dicom_node.store.engine import transaction
from dicom_node.store.run_records import OwnObject, ReceivedInstance, Run, RunInput


@final
class Lineage:
    """A second face of the store's database. Thread-safe; every method may raise StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, run_id: int) -> Run:
        """One run that a result names."""
        with transaction(self._engine, writes=False) as connection:
            return store_runs.by_id(connection, run_id)

    def inputs(self, run_id: int) -> list[RunInput]:
        """Every file that the run was given, by path."""
        with transaction(self._engine, writes=False) as connection:
            return store_runs.inputs_of(connection, run_id)

    def models(self, prefix: str) -> Mapping[str, Mapping[str, Any]]:
        """SHA-256 of the weights → what is known of the model, for each digest that begins so."""
        with transaction(self._engine, writes=False) as connection:
            return store_origins.models_like(connection, prefix)

    def objects_named(self, sop_instance_uid: str) -> list[OwnObject]:
        """Our results of this UID, oldest first; without any, those that a destination took under it."""
        with transaction(self._engine, writes=False) as connection:
            return store_origins.objects_named(connection, sop_instance_uid)

    def objects_of_model(self, weights_sha256: str) -> list[OwnObject]:
        """Everything made of this model's answers, oldest first."""
        with transaction(self._engine, writes=False) as connection:
            return store_origins.objects_of_model(connection, weights_sha256)

    def objects_from_instance(self, sop_instance_uid: str) -> list[tuple[OwnObject, RunInput]]:
        """Everything made by runs that were given this instance, oldest first, with the file each got."""
        with transaction(self._engine, writes=False) as connection:
            return store_origins.objects_from_instance(connection, sop_instance_uid)

    def received(self, sop_instance_uid: str) -> list[ReceivedInstance]:
        """What came in under this UID, oldest first."""
        with transaction(self._engine, writes=False) as connection:
            return store_origins.received(connection, sop_instance_uid)
