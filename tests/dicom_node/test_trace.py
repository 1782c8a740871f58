"""From a report back to its images, from an image or a model forward to reports; nothing is written."""

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.uid import EnhancedSRStorage
from typer.testing import CliRunner

from dicom_node.cli import app
from dicom_node.errors import NodeError
from dicom_node.intake.index import Index
from dicom_node.intake.on_disk import dataset_digest
from dicom_node.operate.repeat import find_bundle
from dicom_node.store import Store
from dicom_node.store.records import DeliveryOutcome, DeliveryState, Result
from models import read_manifest
from models.manifest import SHIPPED
from reports import as_sr_class
from tests.dicom_node.rows import START, after
from tests.dicom_node.traced import CONFIG_SHA256, TracedSite, arrival, traced_site
from tests.reports.scans import SERIES_UID, STUDY_UID, model

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class History:
    """A study that was analysed twice; between the runs its first report went out as an Enhanced SR."""

    site: TracedSite
    first: list[Result]
    second: list[Result]
    images: dict[str, str]
    sent: Path

    @property
    def page(self) -> Result:
        """The summary page of the first run."""
        return next(one for one in self.first if one.kind == "summary")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    folder = tmp_path_factory.mktemp("traced")
    site = traced_site(folder)
    images = {one.sop_instance_uid: one.digest for one in site.store.held(STUDY_UID)}
    first = site.analyse(after(10), unused=[min(images)])
    sent = as_sr_class(dcmread(site.results / first[0].path), EnhancedSRStorage)
    sent.save_as(folder / "sent.dcm")
    for delivery in site.store.due_deliveries("pacs", after(20)):
        form = sent if delivery.kind == "sr" else delivery
        uids = (
            (str(sent.SOPClassUID), str(sent.SOPInstanceUID))
            if form is sent
            else (delivery.sop_class_uid, delivery.sop_instance_uid)
        )
        answer = DeliveryOutcome(DeliveryState.WARNING, 0xB000, "coerced", None, *uids)
        site.store.note_delivery(delivery.id, answer, after(21))
    late = dcmread(folder / "scanner" / "1.dcm")
    late.SOPInstanceUID = late.file_meta.MediaStorageSOPInstanceUID = f"{late.SOPInstanceUID}.1"
    late.save_as(folder / "late.dcm")
    site.take(folder / "late.dcm", after(30))
    second = site.analyse(after(40), probability=0.2)
    yield History(site, first, second, images, folder / "sent.dcm")
    site.store.close()


@pytest.fixture
def copy(history: History, tmp_path: Path) -> Iterator[TracedSite]:
    """The same node, to damage."""
    shutil.copytree(history.site.folder, tmp_path, dirs_exist_ok=True)
    store = Store(f"sqlite:///{tmp_path / 'data' / 'node.db'}")
    yield replace(history.site, folder=tmp_path, store=store)
    store.close()


def test_a_report_is_traced_to_the_images_of_its_own_run(history: History) -> None:
    traced: Any = history.site.traced(history.first[0].sop_instance_uid)
    assert {one["sop_instance_uid"]: one["sha256"] for one in traced["sources"]} == history.images
    assert [one["sop_instance_uid"] for one in traced["sources"] if not one["used"]] == [min(history.images)]
    later: Any = history.site.traced(history.second[0].sop_instance_uid)
    assert len(later["sources"]) == len(history.images) + 1
    assert all(one["held"] and one["used"] for one in later["sources"])


def test_a_trace_tells_when_where_and_with_what(history: History) -> None:
    traced: Any = history.site.traced(history.first[0].sop_instance_uid)
    assert traced["times"] == {
        "received_first": min(one.received_at for one in history.site.store.held(STUDY_UID)).isoformat(),
        "received_last": traced["times"]["received_last"],
        "claimed": after(10).isoformat(),
        "recorded": after(10).isoformat(),
    }
    assert traced["times"]["received_first"] <= traced["times"]["received_last"]
    assert traced["configuration"]["sha256"] == CONFIG_SHA256
    assert traced["configuration"]["values"]["equipment"]["station_name"] == "DICOMNODE"
    assert traced["model"]["weights_sha256"] == model().weights_sha256
    assert traced["model"]["preprocessing_sha256"] == model().preprocessing_sha256
    assert traced["volume"]["sha256"] == history.site.context.volume.digest
    assert traced["volume"]["filled"] == [[2, 3]]
    assert traced["findings"]["probability"] == 0.873
    assert re.fullmatch(r"[0-9a-f]{64}", traced["installation"]["source_sha256"])
    assert traced["installation"]["libraries"]["pydicom"]
    assert traced["run"]["request"]["now"] == "2026-03-01T12:00:10Z"


def test_a_trace_tells_where_each_object_went_and_what_the_archive_said(history: History) -> None:
    traced: Any = history.site.traced(history.page.sop_instance_uid)
    assert [(one["destination"], one["state"], one["status"]) for one in traced["deliveries"]] == [
        ("pacs", "warning", 0xB000)
    ]
    assert traced["deliveries"][0]["sent_at"] == after(21).isoformat()
    assert len(traced["made_together"]) == len(history.first) - 1
    said = history.site.trace(history.page.sop_instance_uid).output
    assert "pacs: warning 2026-03-01 12:00:21, 0xB000 as Secondary Capture Image Storage" in _words(said)


def test_results_name_what_they_superseded_and_what_superseded_them(history: History) -> None:
    old: Any = history.site.traced(history.first[0].sop_instance_uid)
    new: Any = history.site.traced(history.second[2].sop_instance_uid)
    assert (old["object"]["current"], old["supersedes"]) == (False, None)
    assert old["superseded_by"]["sop_instance_uid"] == history.second[0].sop_instance_uid
    assert (new["object"]["current"], new["superseded_by"]) == (True, None)
    assert new["supersedes"]["sop_instance_uid"] == history.first[0].sop_instance_uid


def test_a_report_recast_for_its_archive_is_found_by_file_and_by_uid(history: History) -> None:
    for name in (str(history.sent), str(dcmread(history.sent).SOPInstanceUID)):
        traced: Any = history.site.traced(name)
        assert traced["object"]["sop_instance_uid"] == history.first[0].sop_instance_uid
        assert traced["sent_as"] == EnhancedSRStorage


def test_a_report_recast_without_a_note_of_it_is_found_by_file(history: History, tmp_path: Path) -> None:
    report = dcmread(history.site.results / history.second[0].path)
    as_sr_class(report, EnhancedSRStorage).save_as(tmp_path / "x.dcm")
    traced: Any = history.site.traced(str(tmp_path / "x.dcm"))
    assert traced["object"]["sop_instance_uid"] == history.second[0].sop_instance_uid


def test_show_names_the_model_of_the_report_that_stands(history: History) -> None:
    show = ["--config", str(history.site.folder / "config.yaml"), "show", STUDY_UID]
    view = json.loads(CliRunner().invoke(app, [*show, "--json"]).stdout)
    assert view["model"] == f"ST-RAN 1.0.0, weights {'ab' * 6}"
    assert f"by {view['model']}" in _words(CliRunner().invoke(app, show).output)


def test_the_keys_for_scripts_are_the_documented_ones(history: History) -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    documented = re.findall(
        r"(?m)^\| `([a-z_]+)` \|", page.partition("## Where did this report come from?")[2]
    )
    assert [*history.site.traced(history.first[0].sop_instance_uid), "verification"] == documented


def test_a_model_is_followed_to_everything_it_made(history: History) -> None:
    found: Any = history.site.traced("--model", model().weights_sha256[:6])
    ours = [one.sop_instance_uid for one in (*history.first, *history.second)]
    assert [one["sop_instance_uid"] for one in found] == ours
    said = _words(history.site.trace("--model", "AB").output)
    assert history.first[0].sop_instance_uid in said
    assert f"with {len(history.first) - 1} other objects, superseded 2026-03-01 12:00:40" in said


def test_an_image_is_followed_to_the_runs_that_were_given_it(history: History) -> None:
    both: Any = history.site.traced("--instance", min(history.images))
    assert {(one["kind"], one["source"]["used"]) for one in both if one["kind"] == "sr"} == {
        ("sr", False),
        ("sr", True),
    }
    late = next(uid for uid in history.site.store.digests(STUDY_UID) if uid not in history.images)
    once: Any = history.site.traced("--instance", late)
    assert [one["sop_instance_uid"] for one in once] == [one.sop_instance_uid for one in history.second]


def test_an_ambiguous_digest_lists_the_models(copy: TracedSite) -> None:
    other = replace(copy.context.prediction, model=model(weights="ab" * 31 + "ff"))
    replace(copy, context=replace(copy.context, prediction=other)).take(copy.folder / "scanner" / "2.dcm")
    changed = dcmread(copy.folder / "scanner" / "2.dcm")
    changed.SeriesDescription = "sent again"
    changed.save_as(copy.folder / "again.dcm")
    copy.take(copy.folder / "again.dcm", after(50))
    replace(copy, context=replace(copy.context, prediction=other)).analyse(after(60))
    done = copy.trace("--model", "abab")
    assert done.exit_code == 5
    assert "2 models begin with abab" in _words(done.stderr)
    assert done.stderr.count("ST-RAN 1.0.0") == 2
    assert copy.trace("--model", "ab" * 31 + "f").exit_code == 0


def _file(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def _words(text: str) -> str:
    """What a terminal wrapped, in one line."""
    return " ".join(text.replace("│", "").split())


def test_what_is_not_ours_is_refused_in_a_sentence(history: History, tmp_path: Path) -> None:
    image = history.site.folder / "scanner" / "1.dcm"
    stranger = dcmread(image)
    stranger.SOPInstanceUID, stranger.Manufacturer = "1.2.3.4", "Someone Else"
    stranger.save_as(tmp_path / "stranger.dcm")
    names = {
        "1.2.3": "neither made nor received an object 1.2.3",
        "nothing.dcm": "there is no file nothing.dcm, and it is not a UID",
        str(tmp_path): "is a folder; give one DICOM file",
        _file(tmp_path / "words", b"no DICOM at all"): "is not a DICOM file that can be read",
        _file(tmp_path / "head", image.read_bytes()[:200]): "has no SOP Instance UID",
        str(tmp_path / "stranger.dcm"): "names Someone Else Tunnel 3T as its maker",
        str(image): "is an image that came in; `dicom-node trace --instance` says",
        STUDY_UID: f"is a study: its report is {history.second[0].sop_instance_uid}",
        SERIES_UID: "neither made nor received",
    }
    for name, sentence in names.items():
        done = history.site.trace(name)
        assert (done.exit_code, done.stdout) == (5, ""), name
        assert sentence in _words(done.stderr), name


def test_a_note_is_no_result_and_was_read_by_nobody(copy: TracedSite) -> None:
    note = replace(arrival(copy.folder / "scanner" / "1.dcm"), sop_instance_uid="1.2.9")
    path = copy.archive.keep_note(note, "not a class we read").path
    Index(copy.archive, copy.store).take([path], START)
    for arguments in (["1.2.9"], ["--instance", "1.2.9"]):
        done = copy.trace(*arguments)
        assert done.exit_code == 5
        assert "not a class we read" in _words(done.stderr)


@pytest.mark.parametrize(
    "arguments",
    [[], ["1.2", "--model", "ab"], ["--model", "ab", "--instance", "1"], ["--model", "ab", "--verify"]],
)
def test_a_mixture_of_questions_is_wrong_usage(history: History, arguments: list[str]) -> None:
    assert history.site.trace(*arguments).exit_code == 2


def snapshot(folder: Path) -> dict[str, str]:
    """Every file of the node's data but SQLite's own side files, by digest."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / "data").rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def test_verifying_names_a_changed_image_and_does_not_repeat(copy: TracedSite, history: History) -> None:
    first = copy.traced(history.first[0].sop_instance_uid)
    image: Any = first["sources"][4]  # type: ignore[index]
    path = copy.archive.open(image["path"])
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    before = snapshot(copy.folder)
    done = copy.trace(str(history.sent), "--verify", "--json")
    verification = json.loads(done.stdout)["verification"]
    assert done.exit_code == 1
    assert verification["sources"] == {
        "count": len(history.images),
        "missing": [],
        "changed": [f"{image['sop_instance_uid']} ({image['path']})"],
    }
    assert verification["given"] == []
    assert verification["results"]["changed"] == []
    assert verification["repeat"]["outcome"] == "not repeated"
    assert verification["repeat"]["reason"].endswith("0 are missing from the archive and 1 have other bytes")
    assert snapshot(copy.folder) == before


def test_verifying_after_the_archive_was_deleted_says_so(copy: TracedSite, history: History) -> None:
    shutil.rmtree(copy.folder / "data" / "archive")
    traced: Any = copy.traced(history.first[0].sop_instance_uid)
    assert not any(one["held"] for one in traced["sources"])
    done = copy.trace(history.first[0].sop_instance_uid, "--verify")
    assert done.exit_code == 1
    assert f"all {len(history.images)} images are gone from the archive" in _words(done.output)


def test_verifying_names_a_damaged_result_and_what_the_file_given_has_otherwise(
    copy: TracedSite, history: History, tmp_path: Path
) -> None:
    page = copy.results / history.page.path
    page.write_bytes(page.read_bytes() + b"\0")
    given = dcmread(history.sent)
    given.PatientID = "CORRECTED"
    given.ContentSequence[0].ConceptNameCodeSequence[0].CodeMeaning = "Other"
    del given.AccessionNumber
    given.save_as(tmp_path / "given.dcm")
    done = copy.trace(str(tmp_path / "given.dcm"), "--verify", "--json")
    verification = json.loads(done.stdout)["verification"]
    assert verification["results"]["changed"] == [f"summary {history.page.sop_instance_uid}"]
    found = {one["path"]: (one["recorded"], one["found"]) for one in verification["given"]}
    original = dcmread(history.sent)
    meaning = str(original.ContentSequence[0].ConceptNameCodeSequence[0].CodeMeaning)
    assert found == {
        "AccessionNumber": (str(original.AccessionNumber), "(absent)"),
        "PatientID": (str(original.PatientID), "CORRECTED"),
        "ContentSequence[1].ConceptNameCodeSequence[1].CodeMeaning": (meaning, "Other"),
    }


def test_verifying_without_the_model_says_what_there_is_instead(history: History) -> None:
    done = history.site.trace(history.second[0].sop_instance_uid, "--verify", "--json")
    reason = json.loads(done.stdout)["verification"]["repeat"]["reason"]
    assert reason.startswith(f"the model differs: ST-RAN 1.0.0, weights {'ab' * 6} made it, and ")
    assert "the folder that ships with the node holds ST-RAN" in reason
    assert "DICOM_NODE_MODEL__BUNDLE" in reason


def test_a_model_is_found_where_it_lay_or_where_it_lies_now(history: History, tmp_path: Path) -> None:
    wanted = {"model": asdict(read_manifest().identity)}
    moved, empty = tmp_path / "moved", tmp_path / "empty"
    shutil.copytree(SHIPPED, moved)
    assert history.second[0].run_id is not None
    run = history.site.store.lineage.run(history.second[0].run_id)
    asked = replace(run, findings=wanted, request={"bundle": str(empty)})
    assert find_bundle(asked, (moved, None)) == moved
    assert find_bundle(asked, (None,)) is None
    assert find_bundle(replace(asked, request={"bundle": str(moved)}), (None,)) == moved
    with pytest.raises(NodeError, match=r"the model differs: .* made it, and .*empty.* cannot be read"):
        find_bundle(asked, (empty,))


def test_the_recorded_digests_are_those_of_the_files_as_they_were_sent(history: History) -> None:
    sent = {dataset_digest(path) for path in (history.site.folder / "scanner").glob("*.dcm")}
    assert set(history.images.values()) == sent
