"""Images go, their history stays, and neither a crash nor a late image makes more of it than it is."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from dicom_node.archive import Archive
from dicom_node.cli import app
from dicom_node.config_sections import RetainSettings
from dicom_node.errors import ArchiveUnwritable
from dicom_node.intake.index import Index, Rebuilt
from dicom_node.jobs import State
from dicom_node.keeping.retention import Retention
from dicom_node.store import Store
from dicom_node.store.records import DeliveryOutcome, DeliveryState, ProofOutcome, ProofState
from tests.dicom_node.rows import START, after, state
from tests.dicom_node.traced import TracedSite, arrival, traced_site
from tests.reports.scans import STUDY_UID

SENT = DeliveryOutcome(DeliveryState.SENT, status=0, sent_sop_instance_uid="as it is")
REFUSED = DeliveryOutcome(DeliveryState.FAILED, status=0xA900, comment="class not accepted")
AT_ONCE = RetainSettings(days=0)
LATER = START + timedelta(days=1000)  # after the files' own times, which are the real clock's


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> TracedSite:
    """A study of 20 images, read, its results waiting for their destination."""
    site = traced_site(tmp_path_factory.mktemp("read"))
    site.analyse(START)
    site.store.close()
    return site


@pytest.fixture
def site(read: TracedSite, tmp_path: Path) -> Iterator[TracedSite]:
    """The same, to change."""
    shutil.copytree(read.folder, tmp_path, dirs_exist_ok=True)
    store = Store(f"sqlite:///{tmp_path / 'data' / 'node.db'}")
    yield replace(read, folder=tmp_path, store=store)
    store.close()


def deliver(site: TracedSite, outcome: DeliveryOutcome = SENT) -> None:
    for delivery in site.store.due_deliveries("pacs", after(60)):
        site.store.note_delivery(delivery.id, outcome, after(60))
    site.store.finish_deliveries(after(60))


def retention(site: TracedSite, settings: RetainSettings = AT_ONCE) -> Retention:
    return Retention(site.store, site.archive, settings, lambda: LATER)


def test_a_delivered_study_loses_its_images_and_nothing_else(site: TracedSite) -> None:
    deliver(site)
    size = site.archive.total_bytes()
    [removal] = retention(site).apply()
    assert (removal.study.job.study_instance_uid, removal.size_bytes) == (STUDY_UID, size)
    assert list(site.archive.paths()) == []
    assert state(site.store, STUDY_UID) is State.DELIVERED
    told = site.store.events(STUDY_UID)[-1]
    assert (told.actor, told.reason) == ("retention", "20 images removed: older than 0 days (retain.days)")
    [series] = site.store.series(STUDY_UID)
    assert (series.images, series.missing, series.removed) == (0, 0, 20)
    assert all((site.results / one.path).exists() for one in site.store.results(STUDY_UID))
    assert retention(site).plan() == []


def test_a_removed_file_is_not_a_lost_file(site: TracedSite) -> None:
    deliver(site)
    retention(site).apply()
    events = len(site.store.events(STUDY_UID))
    assert Index(site.archive, site.store).rebuild(LATER) == Rebuilt(0, 0)
    assert len(site.store.events(STUDY_UID)) == events


def test_show_and_trace_say_when_the_images_went(site: TracedSite) -> None:
    deliver(site)
    report = site.store.current_results(STUDY_UID)[0].sop_instance_uid
    assert site.traced(report)["images_removed_at"] is None
    retention(site).apply()
    at = site.traced(report)["images_removed_at"]
    assert at == LATER.isoformat()
    shown = CliRunner().invoke(app, ["--config", str(site.folder / "config.yaml"), "show", STUDY_UID])
    assert f"images removed at {LATER:%Y-%m-%d %H:%M} UTC" in shown.output
    verified = site.trace(report, "--verify")
    assert verified.exit_code == 1
    assert f"removed by retention on {LATER:%Y-%m-%d}" in " ".join(verified.output.split())


@pytest.mark.parametrize("where", ["undelivered", "refused", "reopened", "withheld", "busy"])
def test_what_is_not_done_with_stays(site: TracedSite, where: str) -> None:
    everything = RetainSettings(days=0, states=("delivered", "rejected", "failed"))
    if where == "refused":
        deliver(site, REFUSED)
        assert state(site.store, STUDY_UID) is State.FAILED
    elif where != "undelivered":
        deliver(site)
        assert len(retention(site, everything).plan()) == 1, "it could go, but for what follows"
    if where == "reopened":
        site.take(_another_image(site))
    if where == "withheld":
        site.store.endings.raise_alarm(STUDY_UID, "another patient", after(70))
    busy = [STUDY_UID] if where == "busy" else []
    assert retention(site, everything).apply(busy) == []
    assert len(list(site.archive.paths())) >= 20


def test_what_is_still_to_be_proved_stays_until_it_is(site: TracedSite) -> None:
    deliver(site, replace(SENT, ask_proof=True))
    assert state(site.store, STUDY_UID) is State.DELIVERED
    assert retention(site).plan() == []
    asked = [one for one in site.store.deliveries(STUDY_UID) if one.proof is ProofState.WANTED]
    proved = [ProofOutcome(one.id, ProofState.PROVED, "query") for one in asked]
    site.store.proofs.note(proved, after(70))
    assert state(site.store, STUDY_UID) is State.COMMITTED
    assert len(retention(site).plan()) == 1


def _another_image(site: TracedSite) -> Path:
    file = sorted((site.folder / "scanner").glob("*.dcm"))[0]
    other = site.folder / "other.dcm"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    other.write_bytes(content)
    return other


def test_a_study_that_moves_after_the_plan_stays(site: TracedSite) -> None:
    deliver(site)
    [planned] = retention(site).plan()
    site.take(_another_image(site))
    assert not site.store.keeping.mark(planned.study, planned.reason, LATER)
    assert site.store.keeping.marked() == []
    assert len(site.store.held(STUDY_UID)) == 20


def test_a_crash_between_mark_and_deletion_is_finished_at_the_next_start(site: TracedSite) -> None:
    deliver(site)
    [planned] = retention(site).plan()
    assert site.store.keeping.mark(planned.study, planned.reason, LATER)
    paths = list(site.archive.paths())
    site.archive.open(paths[0]).unlink()
    index = Index(site.archive, site.store)
    assert index.rebuild(LATER) == Rebuilt(0, 1), "the files that still lie there are not filed anew"
    assert state(site.store, STUDY_UID) is State.DELIVERED
    assert retention(site, RetainSettings()).finish() == 19
    assert list(site.archive.paths()) == []
    assert site.store.keeping.marked() == []
    assert index.rebuild(LATER) == Rebuilt(0, 0)
    [series] = site.store.series(STUDY_UID)
    assert (series.missing, series.removed) == (0, 20)


def test_what_came_again_after_the_mark_survives_the_deletion(site: TracedSite) -> None:
    deliver(site)
    [planned] = retention(site).plan()
    assert site.store.keeping.mark(planned.study, planned.reason, LATER)
    back = next(site.archive.paths())
    os.utime(site.archive.open(back), times=(LATER.timestamp() + 1,) * 2)
    assert retention(site).finish() == 19
    assert list(site.archive.paths()) == [back]
    Index(site.archive, site.store).rebuild(LATER)
    assert [one.path for one in site.store.held(STUDY_UID)] == [back]
    assert state(site.store, STUDY_UID) is State.RECEIVING


def test_a_file_that_cannot_be_deleted_is_tried_again(
    site: TracedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(site)

    def refuse(self: Archive, decided: object) -> int:
        raise ArchiveUnwritable("archive cannot be written: Read-only file system")

    with monkeypatch.context() as broken:
        broken.setattr(Archive, "remove", refuse)
        assert retention(site).apply() == []
    assert len(site.store.keeping.marked()) == 20
    assert retention(site).finish() == 20


def test_the_images_sent_again_are_back_under_the_same_report(site: TracedSite) -> None:
    deliver(site)
    retention(site).apply()
    assert site.store.keeping.absent_sources(STUDY_UID) == 20
    for file in sorted((site.folder / "scanner").glob("*.dcm")):
        assert site.archive.keep(arrival(file)).new
    Index(site.archive, site.store).rebuild(after(90))
    assert site.store.keeping.absent_sources(STUDY_UID) == 0
    assert site.store.keeping.removed_at(STUDY_UID) is None
    assert len(site.store.held(STUDY_UID)) == 20


def test_the_facts_of_removed_images_still_guard_what_goes_out(site: TracedSite) -> None:
    deliver(site)
    before = site.store.facts(STUDY_UID)
    retention(site).apply()
    assert site.store.facts(STUDY_UID) == []
    assert site.store.keeping.known_facts(STUDY_UID) == before


def test_the_command_shows_first_and_removes_when_told(site: TracedSite) -> None:
    deliver(site)
    config = site.folder / "config.yaml"

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["--config", str(config), "retention", *arguments])
        assert done.exit_code == 0, done.output
        return done.output

    assert "for ever" in run()
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | {"retain": {"days": 0}}))
    assert "1 studies" in run()
    [row] = json.loads(run("--json"))
    assert (row["study_instance_uid"], row["state"]) == (STUDY_UID, "delivered")
    assert len(list(site.archive.paths())) == 20, "shown, not removed"
    assert "removed" in run("--apply")
    assert list(site.archive.paths()) == []
