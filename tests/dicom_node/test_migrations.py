"""From nothing, or from any earlier version, to the schema the code knows."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from dicom_node.archive import Archive
from dicom_node.config import Settings
from dicom_node.errors import ConfigError, NewerDatabase, NodeError, StoreUnavailable, UnknownObject
from dicom_node.migrations import migrate
from dicom_node.operate.trace import made_by_model, made_from_instance, trace_object
from dicom_node.operate.trace_json import trace_as_dict
from dicom_node.operate.verify import Verifier
from dicom_node.store import Store
from dicom_node.store.engine import open_engine, transaction
from dicom_node.store.schema import metadata
from tests.dicom_node.old_database import first_release
from tests.dicom_node.rows import START, STUDY, image


def test_migrations_end_where_the_tables_in_code_are(store_url: str) -> None:
    engine = open_engine(store_url)
    with transaction(engine, writes=False) as connection:
        options = {"compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
    engine.dispose()


def test_results_from_before_runs_were_remembered_are_kept_and_honestly_traced(empty_url: str) -> None:
    first_release(empty_url)
    migrate(empty_url)
    store = Store(empty_url)
    archive = Archive(Path("archive"), 0)
    [own] = store.lineage.objects_named("2.25.1")
    trace = trace_object(store, archive, own)
    assert (trace.run, trace.sources, trace.model["name"]) == (None, (), "ST-RAN")
    assert [one.destination for one in trace.deliveries] == ["pacs"]
    assert "images, settings, software and host are not recorded" in trace_as_dict(trace)["not_recorded"]
    assert trace_as_dict(trace)["configuration"] is None
    assert [one.result.sop_instance_uid for one in made_by_model(store, "a")] == ["2.25.1"]
    with pytest.raises(UnknownObject, match="1 objects of its study are of unknown images"):
        made_from_instance(store, "1.2.3.1")
    with pytest.raises(NodeError, match="cannot be verified"):
        Verifier(archive, Settings(), lambda stage, steps: None).verify(trace, None)
    store.close()


def test_what_was_delivered_before_proof_was_asked_for_is_left_in_peace(empty_url: str) -> None:
    first_release(empty_url)
    migrate(empty_url)
    store = Store(empty_url)
    [old] = store.deliveries("1.2.3")
    assert (old.state, old.proof, old.proof_tries, old.resends) == ("sent", "", 0, 0)
    assert store.proofs.due("pacs", START) == []
    assert store.proofs.expire(START, "late", START) == []
    assert [job.state for job in store.jobs()] == ["delivered"]
    result = store.current_results("1.2.3")[0].id
    assert store.proofs.resend("1.2.3", [(result, "pacs")], START, "again") == 1
    assert [job.state for job in store.jobs()] == ["delivering"]
    store.close()


def test_migrating_again_changes_nothing(store_url: str, store: Store) -> None:
    store.add_instances([image()], START)
    migrate(store_url)
    assert store.job(STUDY) is not None


def test_a_newer_database_is_refused_and_left_as_it_is(store_url: str) -> None:
    engine = open_engine(store_url)
    with transaction(engine, writes=True) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerDatabase, match=r"newer version of the node \(revision 9999\); install"):
        migrate(store_url)
    with transaction(engine, writes=False) as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"
    engine.dispose()


def test_a_migration_that_fails_leaves_no_half_schema(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'node.db'}"
    engine = open_engine(url)
    with transaction(engine, writes=True) as connection:
        connection.execute(text("CREATE TABLE deliveries (id INTEGER)"))
    with pytest.raises(StoreUnavailable, match="deliveries already exists"):
        migrate(url)
    assert inspect(engine).get_table_names() == ["deliveries"]
    engine.dispose()


def test_a_read_only_database_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "node.db"
    migrate(f"sqlite:///{file}")
    with pytest.raises(StoreUnavailable, match="readonly database; make the file and its folder writable"):
        migrate(f"sqlite:///file:{file}?mode=ro&uri=true")


def test_a_folder_that_does_not_exist_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="check that its folder exists"):
        migrate(f"sqlite:///{tmp_path / 'nowhere' / 'node.db'}")


def test_a_file_that_is_no_database_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "node.db"
    file.write_bytes(b"this was never a database " * 100)
    with pytest.raises(StoreUnavailable, match="not a database; restore it from a backup"):
        migrate(f"sqlite:///{file}")


@pytest.mark.parametrize("url", ["node.db", "oracle://x", "mysql+nothing://x", "mssql+pyodbc://x"])
def test_a_url_we_cannot_use_is_a_matter_of_configuration(url: str) -> None:
    with pytest.raises(ConfigError, match=r"database\.url"):
        migrate(url)


def test_the_password_in_the_url_is_not_told() -> None:
    with pytest.raises((StoreUnavailable, ConfigError)) as caught:
        migrate("postgresql+psycopg://node:secret@127.0.0.1:1/node")
    assert "secret" not in str(caught.value)
