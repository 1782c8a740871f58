"""What several tests of the node need: a migrated, empty database, the module in C.

PostgreSQL, too, where TEST_POSTGRESQL_URL names one to wipe.
"""

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import text

from dicom_node.migrations import migrate
from dicom_node.store import Store
from dicom_node.store.engine import open_engine, transaction
from dicom_node.store.schema_models import metadata
from pipeline import InstanceFacts, read_facts
from tests.peers.presence import missing

POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL", "")


def wipe(url: str) -> None:
    engine = open_engine(url)
    with transaction(engine, writes=True) as connection:
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"] if POSTGRESQL else ["sqlite"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'node.db'}"
    wipe(POSTGRESQL)
    return POSTGRESQL


@pytest.fixture
def store_url(empty_url: str) -> str:
    """A database with our tables and no rows."""
    migrate(empty_url)
    return empty_url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """A store without any study."""
    store = Store(store_url)
    yield store
    store.close()


@pytest.fixture(scope="session")
def sunnybrook_facts(sunnybrook: Callable[[str], list[Path]]) -> list[InstanceFacts]:
    """Header facts of SC-HF-I-4: 10 slices x 20 phases in one series, the slice count nowhere stated."""
    return [read_facts(path) for path in sunnybrook("SC-HF-I-4")]


@pytest.fixture
def native_part() -> None:
    """The module in C is built here."""
    if find_spec("dicom_node.receiver._native") is None:
        missing("the module in C is not built: apt-get install gcc libssl-dev python3-dev && make native")
