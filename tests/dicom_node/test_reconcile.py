"""A database older than the files: what it missed comes back from them, once."""

import shutil
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dicom_node.cli import app
from dicom_node.delivery.guard import objection
from dicom_node.errors import NodeError, StoreUnavailable
from dicom_node.jobs import State
from dicom_node.keeping.backup import back_up
from dicom_node.keeping.reconcile import Reconciler
from dicom_node.keeping.run_files import RunFiles
from dicom_node.migrations import migrate
from dicom_node.routing import Routes
from dicom_node.running import DataDirectoryLock
from dicom_node.store import Store
from dicom_node.store.records import DeliveryOutcome, DeliveryState
from tests.dicom_node.rows import after, run, state
from tests.dicom_node.traced import TracedSite, traced_site
from tests.reports.scans import STUDY_UID

SENT = DeliveryOutcome(DeliveryState.SENT, status=0, sent_sop_instance_uid="as it is")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> TracedSite:
    """A study read twice, and the database as it was before each run."""
    site = traced_site(tmp_path_factory.mktemp("history"))
    _back_up(site, "received.db")
    site.analyse(after(10))
    RunFiles(site.results).write_new(site.store)
    _deliver(site, 20)
    _back_up(site, "reported.db")
    _reopen(site)
    site.analyse(after(30), probability=0.2)
    RunFiles(site.results).write_new(site.store)
    _deliver(site, 40)
    site.store.close()
    return site


def _back_up(site: TracedSite, name: str) -> None:
    back_up(f"sqlite:///{site.folder / 'data' / 'node.db'}", site.folder / name)


def _deliver(site: TracedSite, seconds: float) -> None:
    for delivery in site.store.due_deliveries("pacs", after(seconds)):
        site.store.note_delivery(delivery.id, SENT, after(seconds))
    site.store.finish_deliveries(after(seconds))


def _reopen(site: TracedSite) -> None:
    """An image under a known UID with other bytes."""
    file = sorted((site.folder / "scanner").glob("*.dcm"))[0]
    other = site.folder / "other.dcm"
    other.write_bytes(file.read_bytes()[:-1] + b"\x07")
    site.take(other, after(26))


@pytest.fixture
def site(history: TracedSite, tmp_path: Path) -> TracedSite:
    """The same files, to put an older database beside them."""
    shutil.copytree(history.folder, tmp_path, dirs_exist_ok=True)
    return replace(history, folder=tmp_path)


def restored(site: TracedSite, backup: str) -> TracedSite:
    """The same files under an older database."""
    data = site.folder / "data"
    for name in ("node.db", "node.db-wal", "node.db-shm"):
        (data / name).unlink(missing_ok=True)
    if backup:
        shutil.copy(site.folder / backup, data / "node.db")
    migrate(f"sqlite:///{data / 'node.db'}")
    return replace(site, store=Store(f"sqlite:///{data / 'node.db'}"))


def reconciler(site: TracedSite) -> Reconciler:
    return Reconciler(
        site.store, site.archive, site.results, Routes.everything_to("pacs"), lambda: after(100)
    )


def whole_story(history: TracedSite) -> list[tuple[str, str, bool]]:
    """Every result: what and where it is, and whether it stands."""
    store = Store(f"sqlite:///{history.folder / 'data' / 'node.db'}")
    story = [(one.kind, one.path, one.current) for one in store.results(STUDY_UID)]
    store.close()
    return story


@pytest.mark.parametrize("backup", ["", "received.db", "reported.db"])
def test_every_result_comes_back_and_the_last_ones_stand(
    site: TracedSite, history: TracedSite, backup: str
) -> None:
    old = restored(site, backup)
    found = reconciler(old).apply()
    assert len(found.unknown_runs) == (1 if backup == "reported.db" else 2)
    assert whole_story(old) == whole_story(history)
    assert reconciler(old).plan().unknown_runs == ()
    before = Store(f"sqlite:///{history.folder / 'data' / 'node.db'}")
    assert old.store.inputs_key(STUDY_UID) == before.inputs_key(STUDY_UID)
    [run_then, run_now] = [
        replace(store.lineage.run(store.current_results(STUDY_UID)[0].run_id), id=0)
        for store in (before, old.store)
    ]
    assert run_then == run_now
    before.close()
    old.store.close()


def test_what_comes_back_goes_out_again_and_may_have_arrived_before(site: TracedSite) -> None:
    old = restored(site, "reported.db")
    reconciler(old).recognise()
    assert state(old.store, STUDY_UID) is State.DELIVERING, "nothing but results was missing"
    assert {one.current for one in old.store.priors(STUDY_UID)} == {True, False}
    due = old.store.due_deliveries("pacs", after(200))
    assert {one.path for one in due} == {one.path for one in old.store.current_results(STUDY_UID)}
    old.store.close()


def test_looking_changes_nothing(site: TracedSite) -> None:
    old = restored(site, "received.db")
    found = reconciler(old).plan()
    assert (found.new_files, found.lost_files, len(found.unknown_runs)) == (1, 0, 2)
    assert reconciler(old).plan() == found
    assert old.store.results(STUDY_UID) == []
    old.store.close()


def test_results_of_a_study_without_any_image_left_are_known_again(site: TracedSite) -> None:
    shutil.rmtree(site.folder / "data" / "archive")
    old = restored(site, "")
    reconciler(old).apply()
    assert [one.kind for one in old.store.current_results(STUDY_UID)].count("sr") == 1
    assert old.store.keeping.absent_sources(STUDY_UID) == 20, "a late image alone will not be read"
    job = old.store.job(STUDY_UID)
    assert job is not None
    assert job.state is State.RECEIVING
    _go_out(old)
    old.store.close()


def _go_out(site: TracedSite) -> None:
    """The run lets the report stand; the guard lets it out."""
    run(site.store, STUDY_UID, after(110))
    claimed = site.store.job(STUDY_UID)
    assert claimed is not None
    assert site.store.settle(claimed, State.DELIVERING, after(111), "the report stands", "test")
    due = site.store.due_deliveries("pacs", after(200))
    assert [one.kind for one in due].count("sr") == 1
    assert objection(site.results, due, site.store.keeping.known_facts(STUDY_UID)) == ""


def test_images_removed_after_the_backup_are_no_reason_to_withhold_their_report(site: TracedSite) -> None:
    shutil.rmtree(site.folder / "data" / "archive")
    old = restored(site, "received.db")
    found = reconciler(old).apply()
    assert (found.lost_files, len(found.unknown_runs)) == (20, 2)
    assert len(old.store.keeping.known_facts(STUDY_UID)) == 20
    _go_out(old)
    old.store.close()


def test_an_older_result_does_not_displace_a_later_one(site: TracedSite) -> None:
    old = restored(site, "received.db")
    [earlier, later] = reconciler(old).plan().unknown_runs
    assert reconciler(old)._adopt(later)
    assert not reconciler(old)._adopt(earlier)
    assert {one.path for one in old.store.current_results(STUDY_UID)} == {one.path for one in later.results}
    old.store.close()


def test_a_run_file_that_is_damaged_or_without_its_objects_is_left(site: TracedSite) -> None:
    old = restored(site, "received.db")
    [earlier, later] = reconciler(old).plan().unknown_runs
    report = site.results / later.results[0].path
    report.write_bytes(report.read_bytes()[:-2] + b"  ")
    for file in site.results.rglob("*.run"):
        if earlier.results[0].sop_instance_uid in file.read_text():
            file.write_text("{")
    assert reconciler(old).plan().unknown_runs == ()
    old.store.close()


def test_the_command_needs_the_node_to_be_stopped_and_shows_first(site: TracedSite) -> None:
    restored(site, "received.db").store.close()

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["--config", str(site.folder / "config.yaml"), "db", *arguments])
        return " ".join(done.output.split())

    assert "nothing was changed" in run("reconcile")
    assert "1 archived files without a row" in run("reconcile", "--apply")
    assert "database and files agree" in run("reconcile")
    lock = DataDirectoryLock(site.folder / "data")
    lock.acquire()
    assert "in use by" in run("reconcile", "--apply")
    lock.release()


def test_a_backup_is_whole_and_private_while_others_write(site: TracedSite, tmp_path: Path) -> None:
    database, copy = site.folder / "data" / "node.db", tmp_path / "copy.db"
    with closing(sqlite3.connect(database)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE jobs SET reason = 'not yet said'")
        back_up(f"sqlite:///{database}", copy)
        writer.rollback()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as reader:
        assert reader.execute("SELECT count(*) FROM jobs WHERE reason = 'not yet said'").fetchone() == (0,)
        assert reader.execute("SELECT count(*) FROM results").fetchone()[0] > 0
    with pytest.raises(NodeError, match="is there already"):
        back_up(f"sqlite:///{database}", copy)


def test_what_cannot_be_backed_up_says_why(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="pg_dump"):
        back_up("postgresql+psycopg://node@host/node", tmp_path / "copy.db")
    with pytest.raises(StoreUnavailable, match="could not be made"):
        back_up(f"sqlite:///{tmp_path / 'nowhere.db'}", tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []
