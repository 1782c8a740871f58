"""A node that is backed up, restored, locked out of its database and told to remove images: one report each."""

import shutil
import sqlite3
import stat
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydicom import dcmread

from dicom_node.delivery.sender import find_files, send_files
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from tests.e2e.conftest import Site
from tests.e2e.node import ServedNode, study_uid

pytestmark = [pytest.mark.slow, pytest.mark.peers("Orthanc")]

SMALL = Scan(slices=7, phases=10, matrix=(72, 72))
NAME, NUMBER = "Quibbleworth^Zenobia", "QZ-90210-7"


def _study(folder: Path, seed: int) -> list[Path]:
    folder.mkdir()
    files = write_dicom(render(draw_heart(seed), SMALL), folder, Layout.SIEMENS)
    for file in files:
        dataset = dcmread(file)
        dataset.PatientName, dataset.PatientID = NAME, NUMBER
        dataset.save_as(file)
    return files


def _send(node: ServedNode, files: list[Path]) -> None:
    found, _ = find_files(files)
    results = send_files(found, ("127.0.0.1", node.port), node.ae_title, "TEST", lambda _: None)
    assert {result.status for result in results} == {0x0000}


def _reports(site: Site, study: str) -> int:
    """How many the PACS holds of each form of the study's report; the most of any."""
    found = [report for report in site.pacs.datasets("SR") if report.StudyInstanceUID == study]
    return max(Counter(report.SOPClassUID for report in found).values(), default=0)


@dataclass(frozen=True)
class Story:
    """Two studies, the second sent after the backup and while another program held the database."""

    site: Site
    first: list[Path]
    second: list[Path]
    backup: Path


@pytest.fixture(scope="module")
def story(light_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Story:
    site, folder = light_site, tmp_path_factory.mktemp("studies")
    first, second = _study(folder / "first", 11), _study(folder / "second", 12)
    node, backup = site.node, folder / "backup.db"
    _send(node, first)
    node.settled(study_uid(first), "delivered")
    done = node.run("db", "backup", str(backup))
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(node.folder / "data" / "node.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        _send(node, second)
        node.wait_for("index-waits")
        other.execute("ROLLBACK")
    node.settled(study_uid(second), "delivered")
    return Story(site, first, second, backup)


def test_a_database_locked_by_another_program_delays_a_study_and_loses_nothing(story: Story) -> None:
    assert _reports(story.site, study_uid(story.second)) == 1
    view = story.site.node.show(study_uid(story.second))
    assert sum(series["images"] for series in view["series"]) == len(story.second)


def test_last_nights_database_makes_no_second_report(story: Story) -> None:
    node, data = story.site.node, story.site.node.folder / "data"
    assert node.stop() == 0
    for name in ("node.db-wal", "node.db-shm"):
        (data / name).unlink(missing_ok=True)
    shutil.copy(story.backup, data / "node.db")
    shown = node.run("db", "reconcile").stdout.replace("\n", "")
    assert f"unknown results of {study_uid(story.second)}" in shown
    assert node.run("jobs", "--json").stdout.count(study_uid(story.second)) == 0, "shown, and nothing done"

    mark = node.mark()
    node.start()
    node.wait_for("results-recognised", since=mark, study=study_uid(story.second))
    node.settled(study_uid(story.second), "delivered", since=mark)
    for files in (story.first, story.second):
        assert _reports(story.site, study_uid(files)) == 1
        current = [one["kind"] for one in node.show(study_uid(files))["results"] if one["current"]]
        assert current.count("sr") == 1
    reasons = [event["reason"] for event in node.show(study_uid(story.second))["events"]]
    assert not any("objects made" in reason for reason in reasons), "recognised, not made again"
    assert node.run("audit", "verify").returncode == 0
    assert "database-older" in node.run("audit", "list", "--last", "100").stdout


def test_a_late_image_after_the_images_were_removed_makes_no_second_report(story: Story) -> None:
    node, study = story.site.node, study_uid(story.first)
    settings: dict[str, Any] = yaml.safe_load(node.config.read_text())
    node.config.write_text(yaml.safe_dump(settings | {"retain": {"days": 0}}))
    removed = node.run("retention", "--apply")
    assert removed.returncode == 0, removed.stderr
    view = node.show(study)
    assert sum(series["images"] for series in view["series"]) == 0
    assert view["images_removed_at"]

    mark = node.mark()
    _send(node, story.first[:1])
    node.settled(study, "delivered", since=mark)
    assert _reports(story.site, study) == 1
    assert any("the report stands" in event["reason"] for event in node.show(study)["events"])


def test_only_the_nodes_user_may_read_what_it_keeps(story: Story) -> None:
    data = story.site.node.folder / "data"
    found = [data, *data.rglob("*")]
    assert len(found) > 20
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in found}
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}


def test_no_patient_is_named_in_what_the_node_says(story: Story) -> None:
    node = story.site.node
    said = node.log + (node.folder / "data" / "audit.log").read_text()
    for command in ("jobs", "status", "status --json", "audit list --last 1000"):
        said += node.run(*command.split()).stdout
    assert study_uid(story.first) in said
    for telling in (*NAME.split("^"), NUMBER):
        assert telling not in said
