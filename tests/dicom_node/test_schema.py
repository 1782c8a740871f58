"""What the columns promise, on a real database."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from dicom_node.store import schema_models
from dicom_node.store.engine import open_engine, transaction
from dicom_node.store.schema import jobs, metadata, studies

TABLES = {
    *("studies", "series", "instances", "folders", "jobs", "job_events"),
    *("models", "runs", "run_inputs", "results", "deliveries"),
    *("commitments", "commitment_items", "proof_methods", "labels"),
    *("registered_models", "model_acts", "shadow_answers"),
}


def test_the_tables_are_those_the_node_speaks_of() -> None:
    assert schema_models.metadata is metadata, "the tables of models are declared beside the others"
    assert set(metadata.tables) == TABLES


def test_a_time_comes_back_in_utc_whatever_zone_it_went_in(store_url: str) -> None:
    engine = open_engine(store_url)
    local = datetime(2026, 3, 1, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    with transaction(engine, writes=True) as connection:
        connection.execute(insert(studies).values(study_instance_uid="1.2", first_seen_at=local))
        seen = connection.execute(select(studies.c.first_seen_at)).scalar_one()
    engine.dispose()
    assert seen == datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    assert seen.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_refused(store_url: str) -> None:
    engine = open_engine(store_url)
    with (
        pytest.raises(StatementError, match="has no time zone"),
        transaction(engine, writes=True) as connection,
    ):
        connection.execute(
            insert(studies).values(study_instance_uid="1.2", first_seen_at=datetime(2026, 3, 1))
        )
    engine.dispose()


def test_text_no_database_takes_is_cleaned(store_url: str) -> None:
    engine = open_engine(store_url)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with transaction(engine, writes=True) as connection:
        row = {"study_instance_uid": "1.2\0", "patient_id": "M\udcfcller", "first_seen_at": now}
        connection.execute(insert(studies).values(**row))
        found = connection.execute(select(studies.c.patient_id).where(studies.c.study_instance_uid == "1.2"))
        assert found.scalar_one() == "M?ller"
    engine.dispose()


def test_a_job_without_its_study_is_refused(store_url: str) -> None:
    engine = open_engine(store_url)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with pytest.raises(IntegrityError), transaction(engine, writes=True) as connection:
        connection.execute(insert(jobs).values(study_instance_uid="9.9", state="ready", changed_at=now))
    engine.dispose()


def test_sqlite_keeps_what_was_committed_through_a_power_cut(store_url: str) -> None:
    engine = open_engine(store_url)
    if engine.dialect.name != "sqlite":
        pytest.skip("pragmas are SQLite's")
    with transaction(engine, writes=False) as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
