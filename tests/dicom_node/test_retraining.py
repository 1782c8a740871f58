"""Candidates that are trained by themselves: when, on what, and that nothing uses them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from dicom_node.config import Settings, load_settings
from dicom_node.errors import ConfigError
from dicom_node.retraining import Retraining, retraining
from models import read_manifest
from tests.dicom_node.kept_studies import keep_studies
from tests.models.phantom_studies import GRID, write_studies, write_table


def noon() -> datetime:
    return datetime(2024, 5, 1, 12, tzinfo=UTC)


def settings(folder: Path, **retrain: object) -> Settings:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({"data_dir": "data", "retrain": retrain}))
    return load_settings(path)


KNOWN = {"labels": "labels.csv", "label_column": "Scar"}


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
        with retraining(settings(tmp_path, cron=cron, **KNOWN), noon) as trainer:
            at = trainer.next_at
            assert (at is not None) is planned
            assert at is None or (at.weekday(), at.hour, at.minute) == (5, 2, 0)


def test_after_the_end_none_begins(tmp_path: Path) -> None:
    trainer = Retraining(settings(tmp_path, cron="* * * * *", **KNOWN), noon)
    trainer.stop()
    trainer.train()
    assert not (tmp_path / "data" / "candidates" / "20240501-120000").exists()


@pytest.mark.slow
def test_a_candidate_is_left_with_its_scores_and_what_was_said(tmp_path: Path) -> None:
    rows = write_studies(tmp_path / "studies", 12)
    keep_studies(tmp_path / "data", tmp_path / "studies")
    write_table(tmp_path / "labels.csv", rows)
    options = ["--folds", "3", "--epochs", "1", "--golden", "none", *GRID]
    chosen = settings(tmp_path, architecture="temporal", options=options, **KNOWN)
    Retraining(chosen, noon).train()
    place = tmp_path / "data" / "candidates"
    said = (place / "20240501-120000.log").read_text()
    manifest = read_manifest(place / "20240501-120000" / "bundle")
    assert manifest.version == "20240501-120000", said
    assert manifest.label == "Scar"
    assert manifest.scores["test"]["n"] == 4
    assert "12 studies of 12 patients" in said
    assert (place / "20240501-120000.yaml").stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_a_training_that_fails_leaves_its_reason_and_no_candidate(tmp_path: Path) -> None:
    write_table(tmp_path / "labels.csv", [{"study_instance_uid": "1.2", "patient_id": "A", "Scar": "yes"}])
    Retraining(settings(tmp_path, **KNOWN), noon).train()
    place = tmp_path / "data" / "candidates"
    assert "every study's Scar is yes" in " ".join((place / "20240501-120000.log").read_text().split())
    assert not (place / "20240501-120000").exists()
