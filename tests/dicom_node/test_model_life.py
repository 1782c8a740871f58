"""A model's life by commands alone: labels kept, trained, packed, imported, activated, judged by name."""

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from dicom_node.cli import app
from models import Method, read_manifest
from models.explanation.verdict import Verdict
from models.golden import read_golden
from models.manifest import MANIFEST_NAME, WEIGHTS_NAME
from models.network import keras_network
from tests.dicom_node.kept_studies import keep_studies
from tests.models.drawn_bundle import drawn_bundle
from tests.models.phantom_studies import GRID, write_studies

Run = Callable[..., Result]

pytestmark = [
    pytest.mark.slow,
    # TensorFlow's tensors answer NumPy 2's copy keyword with a warning whenever Keras saves a network
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({"data_dir": "data", "receive": {"disk_reserve_mb": 0}}))

    def invoke(*words: object, code: int = 0) -> Result:
        done = CliRunner().invoke(app, ["--config", str(config), *map(str, words)])
        assert done.exit_code == code, done.output
        return done

    return invoke


@pytest.fixture
def known(tmp_path: Path, run: Run) -> Path:
    """Twelve studies in the node's archive, and what is known of them in its database; the table."""
    rows = write_studies(tmp_path / "studies", 12)
    keep_studies(tmp_path / "data", tmp_path / "studies")
    table = tmp_path / "reads.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["study_instance_uid", "patient_id", "Scar", "source", "date"])
        for row in rows:
            said = row["study_instance_uid"], row["patient_id"], row["Scar"]
            writer.writerow([*said, "phantom", "2026-03-01"])
    run("labels", "import", table)
    return table


def test_what_was_trained_on_kept_labels_is_imported_activated_and_judged_by_name(
    run: Run, known: Path, tmp_path: Path
) -> None:
    folder, file = tmp_path / "run", tmp_path / "echo.bundle"
    parts = "--folds", 3
    words = "--label-column", "Scar", "--from-archive", *parts, "--epochs", 1, "--name", "Echo", *GRID
    run("train", "spatiotemporal", *words, "--out", folder)
    trained = read_manifest(folder / "bundle")
    assert set(trained.explanations) == {Method.GRADCAM}
    assert "Grad-CAM" in (folder / "bundle" / "card.md").read_text()
    golden = read_golden(folder / "bundle")
    assert golden is not None
    assert len(golden.cine) == 2

    run("models", "export", folder / "bundle", file)
    taken = " ".join(run("models", "import", file).output.split())
    assert "2 golden studies are answered as on record" in taken
    alive = trained.explanations[Method.GRADCAM].alive
    assert ("proved here, it is explained by Grad-CAM" if alive else "no map explains it") in taken
    run("models", "activate", "Echo")
    listed = json.loads(run("models", "--json").stdout)["models"]
    assert {one["name"]: one["standing"] for one in listed}["Echo"] == "active"

    asked = "--from-archive", *parts, "--part", "test", "--resamples", 50, "--json"
    by_name, by_file, by_folder = (
        json.loads(run("evaluate", one, *asked, "--out", tmp_path / f"judged {place}").stdout)
        for place, one in enumerate(("Echo", file, folder / "bundle"))
    )
    assert by_name == by_file == by_folder
    assert by_name["studies"] == 4


def test_a_model_that_is_nowhere_and_a_label_that_nobody_gave_are_refused(
    run: Run, known: Path, tmp_path: Path
) -> None:
    out = tmp_path / "judged"
    refused = run("evaluate", "Nobody", "--from-archive", "--out", out, code=5)
    assert "no model is called Nobody" in " ".join(refused.stderr.split())
    unknown = run(
        "train", "temporal", "--label-column", "WMA", "--from-archive", "--out", tmp_path / "run", code=1
    )
    assert "keeps no 'WMA' of a study that is here, but Scar" in " ".join(unknown.stderr.split())
    unnamed = run("train", "temporal", "--label-column", "Scar", "--images", tmp_path, "--out", out, code=3)
    assert "--labels FILE" in unnamed.stderr
    assert not out.exists()


def test_a_false_claim_about_maps_is_refused_and_bare_weights_get_their_verdicts_here(
    run: Run, known: Path, tmp_path: Path
) -> None:
    claim = {Method.ATTENTION: Verdict(True, "so its maker says", 1.0, 1.0, 0.0)}
    folder = drawn_bundle(tmp_path / "still", "dual-attention", explanations=claim, label="Scar")
    still_attention(folder)
    refused = " ".join(run("models", "import", folder, code=1).stderr.split())
    assert "says that attention explains this model, and proved here it does not" in refused
    assert "its map is the same everywhere" in refused
    assert [one["name"] for one in json.loads(run("models", "--json").stdout)["models"]] == ["ST-RAN"]

    contract = tmp_path / "contract.json"
    contract.write_text(replace(read_manifest(folder), explanations={}).as_json())
    taken = " ".join(run("models", "import", folder / WEIGHTS_NAME, "--contract", contract).output.split())
    assert (
        "no map explains it" in taken
    )  # it has learned nothing, and Grad-CAM finds no lesion with it either
    shown = json.loads(run("models", "show", "DRAWN", "--json").stdout)["manifest"]["explanations"]
    assert {method: verdict["alive"] for method, verdict in shown.items()} == {
        "attention": False,
        "gradcam": False,
    }


def test_a_saved_model_is_imported_by_its_numbers_alone(run: Run, known: Path, tmp_path: Path) -> None:
    folder = drawn_bundle(tmp_path / "drawn", "temporal", label="Scar")
    manifest, saved, contract = read_manifest(folder), tmp_path / "saved", tmp_path / "contract.json"
    network = keras_network(manifest, folder)
    network.export(saved, format="tf_saved_model", verbose=False)
    (saved / "saved_model.pb").write_bytes(b"whoever loads this graph fails")
    plain = json.loads(manifest.as_json())
    contract.write_text(json.dumps({name: plain[name] for name in plain if not name.endswith("sha256")}))

    unsaid = " ".join(run("models", "import", saved, code=1).stderr.split())
    assert "is a SavedModel: --contract FILE says what it was trained for" in unsaid
    other = tmp_path / "other.json"
    other.write_text(json.dumps(json.loads(contract.read_text()) | {"architecture": "spatial"}))
    refused = " ".join(run("models", "import", saved, "--contract", other, code=1).stderr.split())
    assert "does not hold the weights of spatial" in refused
    run("models", "import", saved, "--contract", contract)
    [digest] = [
        one["reference"]
        for one in json.loads(run("models", "--json").stdout)["models"]
        if one["name"] == "DRAWN"
    ]
    taken = keras_network(
        read_manifest(tmp_path / "data" / "models" / digest), tmp_path / "data" / "models" / digest
    )
    for old, new in zip(network.get_weights(), taken.get_weights(), strict=True):
        assert np.array_equal(old, new)


def still_attention(folder: Path) -> None:
    """Give the bundle's gates weights of 0, so that their attention is the same everywhere."""
    import keras

    manifest = read_manifest(folder)
    network = keras_network(manifest, folder)
    for block in manifest.attention:
        gate = network.get_layer(f"{block}_attention")
        gate.set_weights([keras.ops.zeros_like(one) for one in gate.weights])
    network.save(folder / WEIGHTS_NAME)
    sha256 = hashlib.sha256((folder / WEIGHTS_NAME).read_bytes()).hexdigest()
    (folder / MANIFEST_NAME).write_text(replace(manifest, weights_sha256=sha256).as_json())
