"""The indexing thread gathers, waits for a locked database, and leaves the truth to the files."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dicom_node.archive import Archive
from dicom_node.intake.index import Index, Rebuilt
from dicom_node.intake.indexer import Indexer
from dicom_node.migrations import migrate
from dicom_node.store import Store
from dicom_node.store.engine import open_engine, transaction
from pipeline import read_facts
from tests.dicom_node.rows import START
from tests.dicom_node.test_index import arrival

pytestmark = pytest.mark.data
PATIENCE_S = 30.0


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", reserve_bytes=0)


@pytest.fixture
def files(sunnybrook: Callable[[str], list[Path]]) -> list[Path]:
    return sunnybrook("SC-HF-I-4")[:8]


@pytest.fixture
def indexer(archive: Archive, store: Store) -> Iterator[Indexer]:
    indexer = Indexer(Index(archive, store), lambda: START)
    indexer.start()
    yield indexer
    indexer.stop()


def test_what_is_put_is_filed_in_few_transactions(
    archive: Archive, store: Store, indexer: Indexer, files: list[Path]
) -> None:
    study = read_facts(files[0]).study_instance_uid
    for path in [archive.keep(arrival(file)).path for file in files]:
        indexer.put(path, study)
    assert indexer.pending() == {study}
    assert indexer.wait_idle(PATIENCE_S)
    assert indexer.pending() == frozenset()
    assert len(store.facts(study)) == 8
    job = store.job(study)
    assert job is not None
    assert job.generation < 7, "one batch makes one generation"


def test_what_waits_is_filed_when_the_indexer_stops(
    archive: Archive, store: Store, files: list[Path]
) -> None:
    indexer = Indexer(Index(archive, store), lambda: START)
    for file in files:
        indexer.put(archive.keep(arrival(file)).path)
    indexer.start()
    indexer.stop()
    assert store.counts().images == 8


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Store]:
    """A store that gives up at once when the database is locked, so that the indexer has to be patient."""
    url = f"sqlite:///{tmp_path / 'locked.db'}"
    migrate(url)
    store = Store(url, busy_timeout_ms=1)
    yield store
    store.close()


def test_a_locked_database_is_waited_for(
    archive: Archive, impatient: Store, files: list[Path], tmp_path: Path
) -> None:
    [path] = [archive.keep(arrival(files[0])).path]
    indexer = Indexer(Index(archive, impatient), lambda: START)
    locker = open_engine(f"sqlite:///{tmp_path / 'locked.db'}")
    with transaction(locker, writes=True):
        indexer.start()
        indexer.put(path)
        assert not indexer.wait_idle(1.0)
        assert impatient.counts().images == 0
    assert indexer.wait_idle(PATIENCE_S)
    assert impatient.counts().images == 1
    indexer.stop()
    locker.dispose()


def test_stopping_against_a_locked_database_loses_nothing(
    archive: Archive, impatient: Store, files: list[Path], tmp_path: Path
) -> None:
    index = Index(archive, impatient)
    indexer = Indexer(index, lambda: START)
    locker = open_engine(f"sqlite:///{tmp_path / 'locked.db'}")
    with transaction(locker, writes=True):
        indexer.put(archive.keep(arrival(files[0])).path)
        indexer.start()
        indexer.stop()
    locker.dispose()
    assert impatient.counts().images == 0
    assert index.rebuild(START) == Rebuilt(taken=1, missing=0)
