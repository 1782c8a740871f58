"""Nobody changes the audit log unseen, and nothing that was done is missing from it."""

import json
import multiprocessing
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result as Invoked
from sqlalchemy import text
from typer.testing import CliRunner

from dicom_node.audit_log import BEGINNING, Act, AuditLog, Broken, Entry, os_user
from dicom_node.cli import app
from dicom_node.errors import AuditUnwritable
from dicom_node.keeping.sealing import Sealer, first_broken
from dicom_node.migrations import migrate
from dicom_node.store import Store
from dicom_node.store.engine import open_engine, transaction
from tests.dicom_node.rows import START, STUDY, after, deliver, images


@pytest.fixture
def audit(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path)


def acts(*words: str) -> list[Act]:
    return [Act(START, word) for word in words]


def lines(folder: Path) -> list[str]:
    return (folder / "audit.log").read_text().splitlines(keepends=True)


def test_each_entry_says_who_did_what_when_and_holds_the_hash_of_the_former(
    audit: AuditLog, tmp_path: Path
) -> None:
    assert audit.last() == BEGINNING
    audit.append(acts("start"))
    audit.append([Act(after(1), "retry", "1.2.3", "by hand", event=7)])
    first, second = audit.entries()
    assert isinstance(first, Entry)
    assert isinstance(second, Entry)
    assert (second.number, second.who, second.what, second.subject) == (2, os_user(), "retry", "1.2.3")
    assert (first.former, second.former) == (BEGINNING.hash, first.hash)
    assert audit.last() == second
    assert stat.S_IMODE((tmp_path / "audit.log").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("spoil", "number"),
    [
        (lambda log: [log[0], log[1].replace('"b"', '"x"'), *log[2:]], 2),
        (lambda log: [log[0], *log[2:]], 2),
        (lambda log: [log[1], log[0], *log[2:]], 1),
        (lambda log: [log[0], log[0], *log[1:]], 2),
        (lambda log: [*log[:2], "not json\n", *log[2:]], 3),
        (lambda log: [*log[:3], '{"number": 4}\n'], 4),
    ],
    ids=["altered", "removed", "exchanged", "doubled", "added", "no-entry"],
)
def test_the_first_entry_that_was_tampered_with_is_named(
    audit: AuditLog, tmp_path: Path, spoil: Callable[[list[str]], list[str]], number: int
) -> None:
    audit.append(acts("a", "b", "c", "d"))
    (tmp_path / "audit.log").write_text("".join(spoil(lines(tmp_path))))
    *_, last = audit.entries()
    assert isinstance(last, Broken)
    assert last.number == number


def test_a_change_whose_own_hash_was_recomputed_shows_in_the_next_entry(
    audit: AuditLog, tmp_path: Path
) -> None:
    audit.append(acts("a", "b", "c"))
    log = lines(tmp_path)
    values = json.loads(log[1]) | {"who": "somebody else"}
    forged = Entry(**values)
    log[1] = json.dumps(values | {"hash": forged.sealed()}) + "\n"
    (tmp_path / "audit.log").write_text("".join(log))
    *_, last = audit.entries()
    assert last == Broken(3, "an entry before it was removed, added or altered")


def test_what_a_crash_left_half_written_is_no_entry_and_breaks_nothing(
    audit: AuditLog, tmp_path: Path
) -> None:
    audit.append(acts("a", "b"))
    with (tmp_path / "audit.log").open("a") as file:
        file.write('{"number": 3, "at"')
    audit.append(acts("c" * 70_000))
    audit.append(acts("d"))
    assert [one.what[0] for one in audit.entries() if isinstance(one, Entry)] == ["a", "b", "c", "d"]


def _append_many(folder: Path, word: str) -> None:
    for _ in range(50):
        AuditLog(folder).append(acts(word))


def test_processes_that_append_at_once_make_one_chain(audit: AuditLog, tmp_path: Path) -> None:
    start = multiprocessing.get_context("spawn")
    writers = [start.Process(target=_append_many, args=(tmp_path, word)) for word in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = list(audit.entries())
    assert len(found) == 100
    assert not any(isinstance(one, Broken) for one in found)


def test_a_log_that_cannot_be_written_keeps_the_act_from_being_done(tmp_path: Path) -> None:
    (tmp_path / "audit.log").mkdir()
    with pytest.raises(AuditUnwritable, match="cannot be written"):
        AuditLog(tmp_path).append(acts("a"))


def test_the_history_of_every_job_is_in_the_log_once(store: Store, audit: AuditLog) -> None:
    store.add_instances(images(2), START)
    sealer = Sealer(store, audit)
    assert sealer.tick(START) == 1
    deliver(store)
    assert sealer.tick(START) == len(store.events(STUDY)) - 1
    assert sealer.tick(START) == 0
    found = [one for one in audit.entries() if isinstance(one, Entry)]
    assert [one.subject for one in found] == [STUDY] * len(store.events(STUDY))
    assert found[0].detail == "receiver: None to receiving: first image"
    assert first_broken(store, audit) == (found[-1], None)


@pytest.mark.parametrize(
    "change",
    ["UPDATE job_events SET reason = 'never happened' WHERE id = 2", "DELETE FROM job_events WHERE id = 2"],
)
def test_a_history_that_was_changed_in_the_database_is_found(
    store: Store, store_url: str, audit: AuditLog, change: str
) -> None:
    store.add_instances(images(2), START)
    deliver(store)
    Sealer(store, audit).tick(START)
    engine = open_engine(store_url)
    with transaction(engine, writes=True) as connection:
        connection.execute(text(change))
    engine.dispose()
    _, broken = first_broken(store, audit)
    assert broken is not None
    assert broken.number == 2


def test_an_older_database_is_noticed_and_the_log_goes_on(
    store: Store, audit: AuditLog, tmp_path: Path
) -> None:
    store.add_instances(images(2), START)
    deliver(store)
    Sealer(store, audit).tick(START)
    url = f"sqlite:///{tmp_path / 'older.db'}"
    migrate(url)
    older = Store(url)
    older.add_instances(images(1), START)
    assert Sealer(older, audit).tick(after(9)) == 0
    assert audit.last().what == "database-older"
    assert first_broken(older, audit)[1] is None, "what the backup does not know is no forgery"
    deliver(older)
    Sealer(older, audit).tick(after(10))
    assert first_broken(older, audit)[1] is None
    older.close()


def test_the_commands_verify_list_and_notice_a_log_cut_short(store: Store, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("data_dir: .")

    def run(*arguments: str) -> Invoked:
        return CliRunner().invoke(app, ["--config", str(tmp_path / "config.yaml"), *arguments])

    store.add_instances(images(1), START)
    assert run("db", "upgrade").exit_code == 0
    assert run("retry", STUDY).exit_code == 1
    assert run("db", "backup", str(tmp_path / "copy.db")).exit_code == 0
    listed = json.loads(run("audit", "list", "--json").stdout)
    assert [one["what"] for one in listed] == ["db-upgrade", "retry", "db-backup"]
    assert "db-backup" in run("audit", "list", "--last", "1").output
    done = run("audit", "verify")
    assert done.exit_code == 0
    assert "3 entries" in done.output
    noted = listed[-1]["hash"]
    assert run("audit", "verify", "--holds", noted).exit_code == 0
    (tmp_path / "audit.log").write_text("".join(lines(tmp_path)[:2]))
    assert run("audit", "verify").exit_code == 0, "nothing in the rest shows it"
    assert run("audit", "verify", "--holds", noted).exit_code == 1
    (tmp_path / "audit.log").write_text("".join(lines(tmp_path)[1:]))
    broken = run("audit", "verify")
    assert broken.exit_code == 1
    assert "entry 1:" in broken.output
