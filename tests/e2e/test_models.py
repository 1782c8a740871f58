"""Models come, read, step back and go on a running node, and every report is one model's own."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from dicom_node.audit_log import AuditLog, Entry
from dicom_node.delivery.sender import find_files, send_files
from models import read_manifest
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from reports import sr_text
from tests.e2e.light_bundle import light_bundle
from tests.e2e.node import ServedNode, study_uid

pytestmark = pytest.mark.slow

TINY = Scan(slices=3, phases=8, matrix=(48, 48))


class Site:
    """A node with a light model of version 1, and what is done on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.node = ServedNode(folder / "node", light=True, report={"not_analysed": "never"})
        self._hearts = 0

    def read(self, scan: Scan = TINY) -> str:
        """Send another study, and wait until it is read; its UID."""
        self._hearts += 1
        folder = self.folder / f"scanner {self._hearts}"
        folder.mkdir()
        files = write_dicom(render(draw_heart(self._hearts), scan), folder, Layout.SIEMENS)
        found, _ = find_files(files)
        results = send_files(found, ("127.0.0.1", self.node.port), self.node.ae_title, "TEST", lambda _: None)
        assert {result.status for result in results} == {0x0000}
        self.node.settled(study_uid(files), "delivered")
        return study_uid(files)

    def report(self, study: str) -> str:
        """The text of the study's current report."""
        return sr_text(dcmread(self.report_file(study)))

    def report_file(self, study: str) -> Path:
        """The study's current report."""
        results = (self.node.data / "results").rglob("*.dcm")
        found = [path for path in results if _is_report(path, study)]
        assert len(found) == 1
        return found[0]

    def bundle(self, file_name: str, **changes: Any) -> Path:
        """The file of a further light model, packed by the command."""
        folder, file = self.folder / file_name, self.folder / f"{file_name}.bundle"
        light_bundle(folder, **{"version": "2", "seed": 1, "golden": 2, **changes})
        self.run("export", str(folder), str(file))
        return file

    def run(self, *words: str, code: int = 0) -> str:
        """`dicom-node models ...`, which must end with this exit code; what it said."""
        done = self.node.run("models", *words)
        assert done.returncode == code, done.stdout + done.stderr
        return " ".join((done.stdout + done.stderr).split())

    def standings(self) -> dict[str, str]:
        """Version to standing."""
        found = json.loads(self.node.run("models", "--json").stdout)
        return {f"{one['name']} {one['version']}": one["standing"] for one in found["models"]}


def _is_report(path: Path, study: str) -> bool:
    found = dcmread(path, stop_before_pixels=True)
    return found.StudyInstanceUID == study and found.SOPClassUID.name == "Comprehensive 3D SR Storage"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    with site.node:
        yield site


def test_the_next_report_is_the_new_models_the_earlier_ones_stay_and_a_rollback_takes_it_back(
    site: Site,
) -> None:
    first = site.read()
    before = site.report_file(first).read_bytes()
    file = site.bundle("second")
    site.run("import", str(file), "--dry-run")
    assert site.standings() == {"LIGHT 1": "active"}
    assert "2 golden studies are answered as on record" in site.run("import", str(file))
    assert site.standings() == {"LIGHT 1": "active", "LIGHT 2": "candidate"}
    assert "would read: LIGHT 2" in site.run("activate", "LIGHT:2", "--dry-run")
    assert site.standings()["LIGHT 2"] == "candidate"
    assert "from the next study on read: LIGHT 2" in site.run("activate", "LIGHT:2", "--reason", "better")
    assert "nothing changed" in site.run("activate", "light:2")
    assert site.standings() == {"LIGHT 2": "active", "LIGHT 1": "configured"}

    second = site.read()
    sha256 = read_manifest(site.folder / "second").weights_sha256
    assert site.node.show(second)["model"] == f"LIGHT 2, weights {sha256[:12]}"
    assert "LIGHT" in site.report(second)
    assert sha256 in site.report(second)
    assert sha256 not in site.report(first)
    assert site.report_file(first).read_bytes() == before
    assert site.node.run("trace", str(site.report_file(second)), "--verify").returncode == 0

    assert "LIGHT 1 (configured)" in site.run("rollback", "--reason", "not better")
    assert "nothing to roll back" in site.run("rollback", code=1)
    third = site.read()
    assert site.node.show(third)["model"].startswith("LIGHT 1, ")
    assert sha256 not in site.report(third)
    assert site.node.run("trace", str(site.report_file(second)), "--verify").returncode == 0

    audited = [one for one in AuditLog(site.node.data).entries() if isinstance(one, Entry)]
    acts = [(one.what, one.detail.partition("; ")[2]) for one in audited if one.what.startswith("models-")]
    assert acts[-2:] == [("models-activate", "better"), ("models-rollback", "not better")]
    shown = site.run("show", "LIGHT:2")
    assert "activate" in shown
    assert "better" in shown


def test_several_models_each_take_the_studies_that_their_contract_fits(site: Site) -> None:
    tall = read_manifest(site.folder / "node" / "bundle").contract
    file = site.bundle("tall", name="TALL", contract=replace(tall, min_slices=5))
    site.run("import", str(file))
    assert "TALL 2" in site.run("activate", "TALL", "--beside")
    assert site.standings() == {"TALL 2": "active", "LIGHT 1": "active"}
    small, large = site.read(), site.read(replace(TINY, slices=6))
    assert site.node.show(small)["model"].startswith("LIGHT 1, ")
    assert site.node.show(large)["model"].startswith("TALL 2, ")
    assert site.node.run("trace", str(site.report_file(small)), "--verify").returncode == 0
    site.run("retire", "TALL")
    assert site.node.show(site.read(replace(TINY, slices=6)))["model"].startswith("LIGHT 1, ")
    assert "was retired" in site.run("activate", "TALL", code=1)


def test_what_is_not_what_it_was_is_refused_and_nothing_changes(site: Site) -> None:
    lied = light_bundle(site.folder / "lied", version="3", seed=2)
    (lied / "golden.npz").write_bytes(
        (light_bundle(site.folder / "other", golden=1) / "golden.npz").read_bytes()
    )
    assert "on record" in site.run("import", str(lied), code=1)
    hollow = light_bundle(site.folder / "hollow", version="4", scale=float("nan"))
    assert "not finite numbers" in site.run("import", str(hollow), code=1)
    recipe = replace(read_manifest(lied).preprocessing, phases=5)
    narrow = site.bundle("narrow", version="5", preprocessing=recipe, golden=0)
    unproven = "no golden studies"
    assert unproven in site.run("import", str(narrow))
    assert unproven in site.run("activate", "LIGHT:5", code=1)
    assert site.standings() == {"LIGHT 1": "active", "LIGHT 5": "candidate"}

    site.run("import", str(site.bundle("good")))
    [weights] = [
        path
        for path in (site.node.data / "models").glob("*/weights.keras")
        if read_manifest(path.parent).version == "2"
    ]
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    assert "not the file its digest names" in site.run("activate", "LIGHT:2", code=1)
    assert "not the file its digest names" in site.run("verify", "LIGHT:2", code=1)
    assert site.standings()["LIGHT 1"] == "active"
    site.run("import", str(site.folder / "good.bundle"))
    assert weights.read_bytes() == whole
    site.run("activate", "LIGHT:2")
    assert site.run("verify").startswith("LIGHT 2: every digest is right")


def test_a_model_in_the_shadow_answers_to_nobody_but_the_comparison(site: Site) -> None:
    site.run("import", str(site.bundle("second")))
    site.read()
    site.run("shadow", "LIGHT:2")
    studies = [site.read(), site.read()]
    for study in studies:
        assert site.node.wait_for("shadow-answered", study=study)["outcome"] == "done"
        shown = site.node.show(study)
        assert shown["model"].startswith("LIGHT 1, ")
        assert {one["current"] for one in shown["results"]} == {True}
    assert not list((site.node.data / "shadow").rglob("*.dcm"))
    found = json.loads(site.run("diff", "configured", "LIGHT:2", "--json", "--out", str(site.folder / "out")))
    assert (found["models"], found["studies"]) == (["LIGHT 1", "LIGHT 2"], 2)
    assert found["too_few_to_conclude"] is True
    assert found["shift_mean"] != 0
    assert (site.folder / "out" / "agreement.png").read_bytes().startswith(b"\x89PNG")
    assert "2 done" in site.run("show", "LIGHT:2")
    site.run("shadow", "LIGHT:2", "--off")
    assert site.standings()["LIGHT 2"] == "candidate"
