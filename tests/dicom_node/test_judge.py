"""Models judged from the command line, on simulated studies as DICOM files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from dicom_node.cli import app
from models.manifest import SHIPPED
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from tests.models.phantom_studies import GRID, write_studies, write_table

Run = Callable[..., Result]

pytestmark = [
    pytest.mark.slow,
    # TensorFlow's tensors answer NumPy 2's copy keyword with a warning whenever Keras saves a network
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("judged")


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump({"data_dir": str(folder / "data"), "receive": {"disk_reserve_mb": 0}}))

    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(app, ["--config", str(config), *map(str, arguments)])

    return invoke


@pytest.fixture(scope="module")
def phantoms(folder: Path) -> tuple[str, ...]:
    """Six simulated studies for the shipped bundle, and the options that name them."""
    images, rows = folder / "images", []
    scan = Scan(slices=6, phases=12, matrix=(80, 80), spacing_mm=2.4, subplanes=1)
    for seed in range(6):
        phantom = render(draw_heart(seed, scar=seed % 2 == 1), scan)
        place = images / str(seed)
        place.mkdir(parents=True)
        write_dicom(phantom, place, Layout.GE)
        answer = "yes" if phantom.truth.scarred else "no"
        uid, patient = phantom.volume.study_instance_uid, f"PHANTOM-{seed:05d}"
        rows.append({"study_instance_uid": uid, "patient_id": patient, "Scar": answer, "WMA": answer})
    labels = write_table(folder / "labels.csv", rows)
    return "--labels", str(labels), "--images", str(images), "--resamples", "100"


def test_the_shipped_bundle_is_judged_on_dicom_files(
    run: Run, folder: Path, phantoms: tuple[str, ...]
) -> None:
    out = folder / "report"
    done = run("evaluate", SHIPPED, *phantoms, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["studies"], found["patients"], found["positives"]) == (6, 6, 3)
    assert 0 <= found["figures"]["auc"]["value"] <= 1
    assert {"Ejection alone", "Motion alone"} == set(found["baselines"])
    text = (out / "evaluation.md").read_text()
    assert "DEMONSTRATION WEIGHTS, RESEARCH USE ONLY; SIMULATED STUDIES" in text
    assert "too few to conclude" in text
    assert found["model"]["weights_sha256"] in text
    for picture in ("roc", "precision-recall", "calibration", "confusion", "scores"):
        assert f"]({picture}.png)" in text
        assert (out / f"{picture}.png").read_bytes().startswith(b"\x89PNG")
    assert not list(out.glob("*.part"))
    assert "PHANTOM-" not in text + done.stdout


def test_another_label_is_refused_unless_it_is_meant(
    run: Run, folder: Path, phantoms: tuple[str, ...]
) -> None:
    asked = "evaluate", SHIPPED, *phantoms, "--out", folder / "other", "--label-column", "WMA"
    refused = run(*asked)
    assert refused.exit_code == 1
    assert "trained to predict Scar, not WMA" in " ".join(refused.stderr.split())
    assert not (folder / "other").exists()
    assert run(*asked, "--other-label").exit_code == 0


def test_groups_that_are_insisted_on_must_be_there(run: Run, folder: Path, phantoms: tuple[str, ...]) -> None:
    done = run("evaluate", SHIPPED, *phantoms, "--out", folder / "none", "--group-by", "field-strength")
    assert done.exit_code == 1
    assert "every study has the same field_strength" in " ".join(done.stderr.split())
    assert not (folder / "none").exists()


def test_a_ladder_is_trained_once_and_compared_on_patients_that_no_network_saw(
    run: Run, folder: Path
) -> None:
    images, out = folder / "small", folder / "ladder"
    labels = write_table(folder / "small.csv", write_studies(images, 12))
    asked = (
        *("ablate", "--labels", labels, "--images", images, "--label-column", "Scar", "--out", out),
        *("--architectures", "spatiotemporal,spatial", "--folds", 3, "--epochs", 1, *GRID),
        *("--resamples", 50),
    )
    planned = run(*asked, "--dry-run")
    assert planned.exit_code == 0, planned.output
    assert not out.exists()
    first = run(*asked)
    assert first.exit_code == 0, first.output
    weights = out / "spatial" / "bundle" / "weights.keras"
    written = weights.stat().st_mtime_ns
    again = run(*asked)
    assert again.exit_code == 0, again.output
    assert "epoch" not in again.stdout
    assert weights.stat().st_mtime_ns == written
    networks = json.loads((out / "comparison.json").read_text())["networks"]
    assert [one["model"]["architecture"] for one in networks] == ["spatiotemporal", "spatial"]
    assert all(one["studies"] == 4 and one["cost"]["flops"] > 0 for one in networks)
    assert networks[0]["cost"]["parameters"] == 1_380_273
    assert networks[1]["delong"] is not None
    text = (out / "comparison.md").read_text()
    assert "Test part: fold 1 of 3" in text
    assert (out / "roc.png").read_bytes().startswith(b"\x89PNG")
