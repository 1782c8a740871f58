"""Models come, read, step back and go on a running node, and every report is one model's own."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydicom import dcmread

from dicom_node.audit_log import AuditLog, Entry
from dicom_node.clock import now_utc
from dicom_node.delivery.sender import find_files, send_files
from dicom_node.registry import Registry, Shelf
from dicom_node.store import Store
from models import read_manifest
from models.bundle_file import bundle_from_folder
from models.golden import read_golden, write_golden
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from reports import sr_text
from tests.e2e.light_bundle import light_bundle
from tests.e2e.node import PATIENCE_S, ServedNode, study_uid

pytestmark = pytest.mark.slow

TINY = Scan(slices=3, phases=8, matrix=(48, 48))


class Site:
    """A node with a light model of version 1, and what is done on it; `model` is more of its configuration."""

    def __init__(self, folder: Path, **model: object) -> None:
        self.folder = folder
        self.node = ServedNode(folder / "node", light=True, report={"not_analysed": "never"}, model=model)
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


def test_a_shadow_that_is_killed_does_no_harm_and_answers_to_the_next_study(site: Site) -> None:
    site.run("import", str(site.bundle("second")))
    site.run("shadow", "LIGHT:2")
    killer = threading.Thread(target=kill_the_first_shadow, args=(site.node,))
    killer.start()
    first = site.read()
    killer.join(PATIENCE_S)
    assert site.node.wait_for("shadow-answered", study=first)["outcome"] == "died"
    assert site.node.show(first)["model"].startswith("LIGHT 1, ")
    second = site.read()
    assert site.node.wait_for("shadow-answered", study=second)["outcome"] == "done"
    assert "1 died, 1 done" in site.run("show", "LIGHT:2")


def kill_the_first_shadow(node: ServedNode) -> None:
    """kill -9 of the worker behind all others, as soon as there is one; gives up when patience ends."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        for pid in shadow_workers(node):
            os.kill(pid, signal.SIGKILL)
            return


def shadow_workers(node: ServedNode) -> list[int]:
    """The workers of lowest priority that this node started."""
    found = []
    for thread in Path(f"/proc/{node.pid}/task").iterdir():
        with contextlib.suppress(OSError):  # threads and processes come and go
            for child in (thread / "children").read_text().split():
                if b"--background" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                    found.append(int(child))
    return found


def test_an_answer_that_is_not_the_one_on_record_is_no_reason_to_read(site: Site) -> None:
    odd = light_bundle(site.folder / "odd", version="2", golden=2)
    golden = read_golden(odd)
    assert golden is not None
    write_golden(replace(golden, probability=golden.probability + 0.01), odd)
    bundle = bundle_from_folder(odd)
    with closing(
        Store(f"sqlite:///{site.node.data / 'node.db'}")
    ) as store:  # as if it had answered so elsewhere
        shelf = Shelf(site.node.data / "models")
        Registry(store.registered, shelf, (), "somebody", now_utc).take(bundle, "elsewhere")
    assert "is on record: the weights, or this machine" in site.run("activate", "LIGHT:2", code=1)
    assert "is on record" in site.run("verify", "LIGHT:2", code=1)
    assert site.standings() == {"LIGHT 1": "active", "LIGHT 2": "candidate"}
    assert site.node.show(site.read())["model"].startswith("LIGHT 1, ")


def test_where_keys_are_trusted_only_what_they_signed_comes_in(tmp_path: Path) -> None:
    ours, theirs = (key_pair(tmp_path / name) for name in ("ours", "theirs"))
    site = Site(tmp_path, trusted_keys=[str(ours[1])])
    with site.node:
        folder = light_bundle(tmp_path / "second", version="2", golden=1)
        signed, foreign, bare = (tmp_path / f"{name}.bundle" for name in ("signed", "foreign", "bare"))
        site.run("export", str(folder), str(signed), "--key", str(ours[0]))
        site.run("export", str(folder), str(foreign), "--key", str(theirs[0]))
        site.run("export", str(folder), str(bare))
        assert "is signed by somebody else" in site.run("import", str(foreign), code=1)
        assert "is not signed" in site.run("import", str(bare), code=1)
        assert site.standings() == {"LIGHT 1": "active"}
        site.run("import", str(signed))
        site.run("activate", "LIGHT:2")
        listed = json.loads(site.run("--json"))["models"]
        public = load_pem_public_key(ours[1].read_bytes())
        assert isinstance(public, Ed25519PublicKey)
        [second] = [one for one in listed if one["version"] == "2"]
        assert second["signed_by"] == hashlib.sha256(public.public_bytes_raw()).hexdigest()
        [signature] = (site.node.data / "models").glob("*/SHA256SUMS.sig")
        signature.write_bytes(bytes(64))
        assert "signed by somebody else" in site.run("verify", "LIGHT:2", code=1)


def key_pair(stem: Path) -> tuple[Path, Path]:
    """A private key and its public one, as openssl writes them."""
    key, public = stem.with_suffix(".pem"), stem.with_suffix(".pub.pem")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(key)], check=True)
    subprocess.run(["openssl", "pkey", "-in", str(key), "-pubout", "-out", str(public)], check=True)
    return key, public
