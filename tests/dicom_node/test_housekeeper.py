"""What the node does about its files by itself, with its parts put together as it does."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dicom_node.archive import Archive, Arrival
from dicom_node.archive.journal import Journal
from dicom_node.audit_log import AuditLog, Entry
from dicom_node.config import Settings
from dicom_node.intake.index import Index, Told
from dicom_node.jobs import State
from dicom_node.keeping.housekeeper import Housekeeper
from dicom_node.resting import Resting
from dicom_node.store import Store
from tests.dicom_node.receiving import MR_IMAGE, Sent
from tests.dicom_node.rows import START, run, state
from tests.dicom_node.test_journal import BLOCK, entry, instance_of

STUDY = "1.2.3"
NOW = datetime.now(UTC) + timedelta(days=1)


class Home:
    """A data directory with one study of one file, read and delivered to nobody."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.archive = Archive(folder / "archive", 0)
        sent = Sent(STUDY, "1.2.3.4").dataset
        image = Arrival(STUDY, "1.2.3.4", MR_IMAGE, "1.2.840.10008.1.2.1", "MR 1", sent)
        path = self.archive.keep(image).path
        Index(self.archive, store).take([path], START, {path: Told(STUDY)})
        job = run(store, STUDY)
        assert store.settle(job, State.DELIVERED, START, "no destination is configured", "test")

    def keeper(self, **sections: dict[str, object]) -> Housekeeper:
        settings = Settings.model_validate({"data_dir": self.folder, **sections})
        return Housekeeper(settings, self.store, self.archive, self.folder / "results", lambda: NOW)

    def files(self) -> int:
        return len(list(self.archive.paths()))


@pytest.fixture
def home(store: Store, tmp_path: Path) -> Home:
    return Home(store, tmp_path)


def test_each_start_is_in_the_audit_log_and_says_whether_the_configuration_changed(home: Home) -> None:
    for timeout_s in (30.0, 30.0, 31.0):
        home.keeper(deliver={"timeout_s": timeout_s}).take_up()
    found = [one for one in AuditLog(home.folder).entries() if isinstance(one, Entry)]
    starts = [one for one in found if one.what == "start"]
    assert ["changed" in one.detail for one in starts] == [True, False, True]
    assert len({one.config for one in starts}) == 2
    assert [one.subject for one in found if one.what == "job"][:1] == [STUDY], (
        "sealed before the start itself"
    )


def test_below_the_second_mark_images_that_may_go_do_at_once(home: Home) -> None:
    keeper = home.keeper(receive={"disk_reserve_mb": 0}, retain={"evict_below_mb": 10**9, "at_least_days": 0})
    _, look_at_disk = keeper.tasks(frozenset, Resting(lambda: None))["disk"]
    look_at_disk()
    assert home.files() == 0
    assert state(home.store, STUDY) is State.DELIVERED
    assert "less than 1,000,000,000 MB were free" in home.store.events(STUDY)[-1].reason


def test_a_study_that_somebody_sends_to_is_left_alone(home: Home) -> None:
    keeper = home.keeper(
        receive={"disk_reserve_mb": 0}, retain={"evict_below_mb": 10**9, "at_least_days": 0, "days": 0}
    )
    tasks = keeper.tasks(lambda: frozenset({STUDY}), Resting(lambda: None))
    for name in ("disk", "retain"):
        tasks[name][1]()
    assert home.files() == 1


def test_a_removal_that_a_crash_interrupted_is_finished_at_the_start(home: Home) -> None:
    [study] = home.store.keeping.studies([State.DELIVERED])
    assert home.store.keeping.mark(study, "older than 30 days", NOW)
    home.keeper().take_up()
    assert home.files() == 0
    assert home.store.keeping.marked() == []
    assert state(home.store, STUDY) is State.DELIVERED


def test_a_promised_file_is_in_its_place_before_it_is_missed(home: Home) -> None:
    [path] = home.archive.paths()
    content = home.archive.open(path).read_bytes()
    head = len(content) - len(Sent(STUDY, "1.2.3.4").dataset)
    with Journal(home.archive.root) as journal:
        journal.prepare(1 << 16)
        segment = journal.segments[0]
        os.pwrite(segment.descriptor, entry(segment.renew(), instance_of(path), content, head=head), BLOCK)
    home.archive.open(path).unlink()
    home.keeper().take_up()
    assert home.archive.open(path).read_bytes() == content
    assert path in home.store.known_paths()
    assert not any("missing" in event.reason for event in home.store.events(STUDY))
