"""Simulated cohorts: who is in them, and that files and arrays show the same patients."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from models.cohort import Cohort, backwards, banded, draw_examples, lesions
from models.cohort.__main__ import main
from models.cohort.writing import LABELS_NAME
from models.training.scores import auc
from pipeline import assemble, find_stack, read_study
from pipeline.centre import heart_centre
from pipeline.phantom import Kind
from pipeline.prepare import prepare
from pipeline.preprocessing import Preprocessing

COARSE = Preprocessing(spacing_mm=4.0, pixels=32, phases=10, slices=6)
WIDE = Preprocessing(spacing_mm=4.0, pixels=48, phases=10, slices=6)


def share(cohort: Cohort, site: str, scarred: bool) -> float:
    """How many of a site's members with that answer have the band."""
    asked = [one for one in cohort.members if one.site == site and one.answers["Scar"] is scarred]
    return sum(one.heart.variant.band for one in asked) / len(asked)


def test_a_cohort_of_lesions_has_as_many_of_every_kind_in_a_mixed_order() -> None:
    cohort = lesions(100, each=5)
    kinds = [member.kind for member in cohort.members]
    assert Counter(kinds) == Counter({kind.value: 5 for kind in Kind})
    assert len(set(kinds[:10])) > 3
    assert cohort == lesions(100, each=5)
    assert sorted(member.heart.seed for member in cohort.members) == list(range(100, 130))


def test_the_two_labels_of_a_member_are_those_of_its_kind() -> None:
    answers = {member.kind: dict(member.answers) for member in lesions(0, each=1).members}
    assert answers["texture-only"] == {"Scar": True, "WMA": False}
    assert answers["wma"] == {"Scar": False, "WMA": True}
    assert answers["low-ef"] == answers["healthy"] == {"Scar": False, "WMA": False}
    assert answers["motion-only"] == answers["both"] == {"Scar": True, "WMA": True}


def test_the_band_tells_the_label_at_site_b_and_nothing_at_site_a() -> None:
    cohort = banded(0, 2000)
    assert share(cohort, "B", True) == pytest.approx(0.95, abs=0.03)
    assert share(cohort, "B", False) == pytest.approx(0.05, abs=0.03)
    assert share(cohort, "A", True) == pytest.approx(0.5, abs=0.08)
    assert share(cohort, "A", False) == pytest.approx(0.5, abs=0.08)
    assert np.mean([member.site == "B" for member in cohort.members]) == pytest.approx(0.8, abs=0.03)


def test_a_wide_crop_shows_the_band_and_the_tight_one_does_not() -> None:
    cohort = banded(0, 12)
    edges = {}
    for recipe in (COARSE, WIDE):
        examples = draw_examples(cohort, "Scar", recipe)
        band = np.array([value == "yes" for value in examples.groups["band"]])
        brightest = examples.cine[..., -8:].mean(axis=(1, 2, 3)).max(axis=-1)
        edges[recipe] = auc(brightest, band)
    assert edges[WIDE] == 1.0
    assert 0.2 < edges[COARSE] < 0.8


def test_a_heart_played_backwards_has_the_same_frames_and_another_label() -> None:
    examples = draw_examples(backwards(3, patients=2), "Backwards", COARSE)
    assert examples.label.tolist() == [False, True, False, True]
    assert examples.patients[0] == examples.patients[1] != examples.patients[2]
    forth, back = examples.cine[0], examples.cine[1]
    assert not np.array_equal(forth, back)
    assert np.array_equal(back, forth[[0, *range(9, 0, -1)]])


def test_examples_say_how_far_they_are_and_know_no_label_that_was_not_drawn() -> None:
    heard: list[int] = []
    draw_examples(lesions(0, each=1), "WMA", COARSE, heard.append)
    assert heard == [1, 2, 3, 4, 5, 6]
    with pytest.raises(KeyError):
        draw_examples(lesions(0, each=1), "Infarct", COARSE)


def test_the_files_of_a_cohort_are_the_same_patients_as_its_arrays(tmp_path: Path) -> None:
    out = tmp_path / "cohort"
    assert main(["--out", str(out), "--studies", "6", "--seed", "40"]) == 0
    rows = list(csv.DictReader((out / LABELS_NAME).read_text().splitlines()))
    examples = draw_examples(lesions(40, each=1), "Scar", COARSE)
    assert [row["study_instance_uid"] for row in rows] == list(examples.studies)
    assert [row["Scar"] == "1" for row in rows] == examples.label.tolist()
    assert (rows[0]["source"], rows[0]["date"]) == ("phantom truth", "2025-01-01")
    study = read_study((out / "images" / "00001").iterdir())
    volume = assemble(study, find_stack(study.facts), allow_missing=False)
    found = prepare(volume, COARSE, heart_centre(volume)).array
    assert volume.study_instance_uid == rows[0]["study_instance_uid"]
    assert found == pytest.approx(examples.cine[0].astype(float), abs=1e-3)


def test_the_same_command_again_changes_nothing_and_another_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "cohort"
    command = ["--out", str(out), "--design", "backwards", "--studies", "2"]
    assert main(command) == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert main(command) == 0
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert main([*command, "--seed", "9"]) == 1
    assert "holds another cohort" in " ".join(capsys.readouterr().err.split())
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
