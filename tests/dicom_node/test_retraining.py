"""Candidates that are trained by themselves: when, on what, and that nothing uses them."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import yaml

from dicom_node.config import Settings, load_settings
from dicom_node.errors import ConfigError
from dicom_node.from_settings import models_in_use
from dicom_node.retraining import JUDGED, Retraining, retraining
from dicom_node.store import Store
from dicom_node.store.labels import NewLabel
from dicom_node.store.model_records import CONFIGURED, Standing
from models import read_manifest
from models.manifest import MANIFEST_NAME, WEIGHTS_NAME
from tests.dicom_node.kept_studies import keep_studies
from tests.e2e.light_bundle import light_bundle
from tests.models.drawn_bundle import drawn_bundle
from tests.models.phantom_studies import GRID, write_studies, write_table


def noon() -> datetime:
    return datetime(2024, 5, 1, 12, tzinfo=UTC)


def settings(folder: Path, **retrain: object) -> Settings:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({"data_dir": "data", "retrain": retrain}))
    return load_settings(path)


KNOWN = {"labels": "labels.csv", "label_column": "Scar"}


def keep_labels(data_dir: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """What is known of the studies, as `dicom-node labels import` leaves it."""
    store = Store(f"sqlite:///{data_dir / 'node.db'}")
    answers = [
        NewLabel(row["study_instance_uid"], "Scar", row["Scar"] == "yes", "phantom", noon().date())
        for row in rows
    ]
    store.labels.change(answers, [], noon(), "somebody")
    store.close()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"cron": "every night", **KNOWN}, "retrain.cron"),
        ({"cron": "0 2 * * sat"}, "needs retrain.label_column"),
        ({"when": "0 2 * * *"}, "retrain.when: unknown key"),
    ],
)
def test_a_section_that_makes_no_sense_stops_the_node_at_its_start(
    tmp_path: Path, wrong: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        settings(tmp_path, **wrong)


def test_the_next_one_begins_when_the_crontab_says_and_by_default_never(tmp_path: Path) -> None:
    for cron, planned in (("0 2 * * sat", True), (None, False)):
        with retraining(settings(tmp_path, cron=cron, **KNOWN), noon, tuple) as trainer:
            at = trainer.next_at
            assert (at is not None) is planned
            assert at is None or (at.weekday(), at.hour, at.minute) == (5, 2, 0)


def test_after_the_end_none_begins(tmp_path: Path) -> None:
    trainer = Retraining(settings(tmp_path, cron="* * * * *", **KNOWN), noon, tuple)
    trainer.stop()
    trainer.train()
    assert not (tmp_path / "data" / "candidates" / "20240501-120000").exists()


def read_by(bundle: Path, chosen: Settings) -> Settings:
    """The same settings, with this bundle as the model in use."""
    return chosen.model_copy(update={"model": chosen.model.model_copy(update={"bundle": bundle})})


@pytest.mark.slow
# TensorFlow's tensors answer NumPy 2's copy keyword with a warning whenever Keras saves a network
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("in_a_file", [True, False], ids=["labels in a file", "labels that the node keeps"])
def test_a_candidate_is_kept_judged_beside_the_model_in_use_and_reads_nothing(
    tmp_path: Path, in_a_file: bool
) -> None:
    rows = write_studies(tmp_path / "studies", 12)
    keep_studies(tmp_path / "data", tmp_path / "studies")
    known = {"label_column": "Scar"}
    if in_a_file:
        write_table(tmp_path / "labels.csv", rows)
        known["labels"] = "labels.csv"
    else:
        keep_labels(tmp_path / "data", rows)
    drawn_bundle(tmp_path / "active", "temporal", version="in use", label="Scar")
    options = ["--folds", "3", "--epochs", "1", "--golden", "none", *GRID]
    chosen = settings(tmp_path, architecture="temporal", options=options, **known)
    chosen = read_by(tmp_path / "active", chosen)
    Retraining(chosen, noon, partial(models_in_use, chosen)).train()

    place = tmp_path / "data" / "candidates"
    said = (place / "20240501-120000.log").read_text()
    folder = place / "20240501-120000"
    assert read_manifest(folder / "bundle").version == "20240501-120000", said
    assert "12 studies of 12 patients" in said
    judged = json.loads((folder / JUDGED / "comparison.json").read_text())["networks"]
    assert [one["model"]["version"] for one in judged] == ["20240501-120000", "in use"], said
    assert [one["studies"] for one in judged] == [4, 4]
    assert (place / "20240501-120000.yaml").stat().st_mode & 0o777 == 0o600
    store = Store(chosen.database_url)
    assert [(one.manifest["version"], one.standing) for one in store.registered.all()] == [
        ("20240501-120000", Standing.CANDIDATE)
    ], said
    assert store.registered.lineup() == (CONFIGURED,)
    store.close()


def damage_words(bundle: Path) -> None:
    """Leave half a manifest."""
    manifest = bundle / MANIFEST_NAME
    manifest.write_bytes(manifest.read_bytes()[:100])


def damage_numbers(bundle: Path) -> None:
    """Change one byte of the weights; the manifest is as it was."""
    weights = bytearray((bundle / WEIGHTS_NAME).read_bytes())
    weights[len(weights) // 2] ^= 1
    (bundle / WEIGHTS_NAME).write_bytes(weights)


@pytest.mark.slow
@pytest.mark.parametrize("damage", [damage_words, damage_numbers])
def test_a_damaged_model_in_use_costs_the_candidate_neither_its_judgement_nor_its_place(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    rows = write_studies(tmp_path / "studies", 6)
    keep_studies(tmp_path / "data", tmp_path / "studies")
    write_table(tmp_path / "labels.csv", rows)
    damage(light_bundle(tmp_path / "active"))
    options = ["--folds", "3", "--epochs", "1", "--golden", "none", *GRID]
    chosen = settings(tmp_path, architecture="temporal", options=options, **KNOWN)
    chosen = read_by(tmp_path / "active", chosen)
    Retraining(chosen, noon, partial(models_in_use, chosen)).train()

    place = tmp_path / "data" / "candidates"
    said = (place / "20240501-120000.log").read_text()
    judged = json.loads((place / "20240501-120000" / JUDGED / "evaluation.json").read_text())
    assert judged["model"]["version"] == "20240501-120000", said
    assert judged["studies"] == 2
    store = Store(chosen.database_url)
    kept = [(one.manifest["version"], one.standing) for one in store.registered.all()]
    store.close()
    assert kept == [("20240501-120000", Standing.CANDIDATE)], said


@pytest.mark.slow
def test_a_training_that_fails_leaves_its_reason_and_no_candidate(tmp_path: Path) -> None:
    write_table(tmp_path / "labels.csv", [{"study_instance_uid": "1.2", "patient_id": "A", "Scar": "yes"}])
    Retraining(settings(tmp_path, **KNOWN), noon, tuple).train()
    place = tmp_path / "data" / "candidates"
    assert "every study's Scar is yes" in " ".join((place / "20240501-120000.log").read_text().split())
    assert not (place / "20240501-120000").exists()
