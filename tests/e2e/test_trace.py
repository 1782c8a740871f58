"""A report fetched back from the PACS is traced and made again, beside a working node, byte for byte."""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydicom import dcmread
from typer.testing import CliRunner

from dicom_node.cli import app
from dicom_node.delivery.sender import find_files, send_files
from dicom_node.intake.on_disk import dataset_digest
from models.manifest import SHIPPED
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from tests.e2e.node import ServedNode, study_uid
from tests.peers import Orthanc

pytestmark = [pytest.mark.slow, pytest.mark.peers("Orthanc")]


@dataclass(frozen=True)
class Fetched:
    """A node that works, the study it was sent, its own model, and its report as the PACS gives it back."""

    node: ServedNode
    images: list[Path]
    bundle: Path
    report: Path

    def verify(self, code: int) -> dict[str, Any]:
        """`dicom-node trace REPORT --verify --json`, which must end with this exit code."""
        done = CliRunner().invoke(
            app, ["--config", str(self.node.config), "trace", str(self.report), "--verify", "--json"]
        )
        assert done.exit_code == code, done.output
        traced: dict[str, Any] = json.loads(done.stdout)
        return traced

    def choose(self, **settings: Any) -> None:
        """Write other settings, as for the node's next start."""
        config = yaml.safe_load(self.node.config.read_text())
        self.node.config.write_text(yaml.safe_dump(config | settings))

    def contents(self) -> dict[str, str]:
        """Digest of every object in archive and results."""
        data = self.node.folder / "data"
        files = [path for part in ("archive", "results") for path in (data / part).rglob("*.dcm")]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def own_bundle(folder: Path) -> Path:
    """The demonstration network in other bytes: weights that ship with nobody."""
    shutil.copytree(SHIPPED, folder)
    with zipfile.ZipFile(folder / "weights.keras", "a") as weights:
        weights.comment = b"a site's own"
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["weights_sha256"] = hashlib.sha256((folder / "weights.keras").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fetched]:
    folder = tmp_path_factory.mktemp("fetched")
    bundle = own_bundle(folder / "bundle")
    (folder / "study").mkdir()
    seen = render(draw_heart(3), Scan(slices=6, phases=8, matrix=(64, 64), spacing_mm=3.0))
    images = write_dicom(seen, folder / "study", Layout.GE)
    with Orthanc(folder / "orthanc") as pacs:
        place = {"name": "pacs", "host": "127.0.0.1", "port": pacs.dicom_port, "ae_title": pacs.ae_title}
        with ServedNode(folder / "node", destinations=[place], model={"bundle": str(bundle)}) as node:
            found, _ = find_files(images)
            send_files(found, ("127.0.0.1", node.port), node.ae_title, "TEST", lambda _: None)
            node.settled(study_uid(images), "delivered")
            reports = [one for one in pacs.series() if one["MainDicomTags"]["Modality"] == "SR"]
            (folder / "report.dcm").write_bytes(pacs.file(reports[0]["Instances"][0]))
            yield Fetched(node, images, bundle, folder / "report.dcm")


@pytest.fixture(scope="module")
def verified(fetched: Fetched) -> dict[str, Any]:
    """The report verified under another configuration than that of its run."""
    before = fetched.contents()
    fetched.choose(model={"bundle": str(fetched.bundle), "threshold": 0.99}, report={"station_name": "OTHER"})
    traced = fetched.verify(code=0)
    assert fetched.contents() == before
    return traced


def test_the_report_names_every_image_that_was_sent_and_the_archives_answer(
    fetched: Fetched, verified: dict[str, Any]
) -> None:
    sent = {str(dcmread(path).SOPInstanceUID): dataset_digest(path) for path in fetched.images}
    assert {one["sop_instance_uid"]: one["sha256"] for one in verified["sources"]} == sent
    assert all(one["used"] and one["held"] for one in verified["sources"])
    assert [(one["destination"], one["status"]) for one in verified["deliveries"]] == [("pacs", 0)]
    assert verified["verdict"]["rule"].startswith("grid full")
    assert verified["configuration"]["values"]["threshold"] is None
    values = json.dumps(verified["configuration"]["values"], sort_keys=True)
    assert hashlib.sha256(values.encode()).hexdigest() == verified["configuration"]["sha256"]


def test_the_report_is_made_again_byte_for_byte_whatever_the_configuration_says_now(
    verified: dict[str, Any],
) -> None:
    verification = verified["verification"]
    assert verification["repeat"] == {"outcome": "identical", "reason": "", "objects": []}
    assert verification["given"] == []
    assert verification["results"] == {
        "count": len(verified["made_together"]) + 1,
        "missing": [],
        "changed": [],
    }
    assert verification["identical"] is True


def test_another_model_in_its_place_is_named_and_not_asked(
    fetched: Fetched, verified: dict[str, Any]
) -> None:
    kept = fetched.bundle.rename(fetched.bundle.with_name("old"))
    shutil.copytree(SHIPPED, fetched.bundle)
    repeat = fetched.verify(code=1)["verification"]["repeat"]
    kept_digest = hashlib.sha256((kept / "weights.keras").read_bytes()).hexdigest()
    assert verified["model"]["weights_sha256"] == kept_digest
    assert repeat["outcome"] == "not repeated"
    assert repeat["reason"].startswith("the model differs: ST-RAN")
    assert f"weights {kept_digest[:12]} made it" in repeat["reason"]


def test_one_byte_of_one_image_is_named(fetched: Fetched, verified: dict[str, Any]) -> None:
    image = verified["sources"][7]
    path = fetched.node.folder / "data" / "archive" / image["path"]
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    verification = fetched.verify(code=1)["verification"]
    assert verification["sources"]["changed"] == [f"{image['sop_instance_uid']} ({image['path']})"]
    assert verification["repeat"]["outcome"] == "not repeated"
