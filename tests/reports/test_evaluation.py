"""The report on a judgement: what it must name, and that its pictures come out the same every time."""

import json
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from models.evaluation.bootstrap import Estimate
from models.evaluation.judgement import Judgement, judge
from models.evaluation.pairs import compared
from models.manifest import read_manifest
from reports.evaluation.comparison import (
    Contestant,
    Cost,
    comparison_page,
    comparison_picture,
    comparison_record,
)
from reports.evaluation.page import page
from reports.evaluation.pictures import pictures
from reports.evaluation.record import record
from reports.evaluation.subject import Subject, table, written
from tests.models.verdicts import FEW, many

MANIFEST = read_manifest()
SUBJECT = Subject(MANIFEST.identity, MANIFEST.threshold_rule, "Test part: fold 1 of 5", simulated=False)


@pytest.fixture(scope="module")
def judgement() -> Judgement:
    scored = many(80)
    sex = tuple("F" if number < 60 else "M" for number in range(80))
    measures = {"Motion alone": np.random.default_rng(1).normal(size=80)}
    return judge(replace(scored, groups={"sex": sex}), measures, FEW)


def test_the_page_names_model_data_label_threshold_and_what_it_must_not_be_used_for(
    judgement: Judgement,
) -> None:
    text = page(judgement, SUBJECT, ("roc.png",))
    assert "DEMONSTRATION WEIGHTS, RESEARCH USE ONLY. Not for diagnosis." in text
    for needed in (MANIFEST.weights_sha256, "n = 80 studies of 80 patients", "Scar: 40 yes, 40 no"):
        assert needed in text
    assert "| sex | M | 20 | 20 | 10 | too few to conclude |" in text
    assert "there is no gap to show" in text
    assert "![roc](roc.png)" in text
    assert "| motion alone |" in text


def test_every_picture_is_the_same_file_each_time(judgement: Judgement) -> None:
    drawn = pictures(judgement, SUBJECT)
    assert len(drawn) == 5
    assert drawn == pictures(judgement, SUBJECT)
    assert {Image.open(BytesIO(png)).size for png in drawn.values()} == {(960, 960)}


def test_programs_get_the_same_figures_and_null_where_there_is_none(judgement: Judgement) -> None:
    plain = json.loads(json.dumps(record(judgement, SUBJECT), allow_nan=False))
    assert plain["figures"]["auc"]["value"] == judgement.figures["auc"].value
    assert plain["groups"][1]["figures"] == "too few to conclude"
    assert plain["model"]["demonstration"] is True


def test_networks_stand_in_one_table_and_one_picture(judgement: Judgement) -> None:
    cost = Cost(1_234_567, 8_000_000_000, (0.2, 0.1, 0.3), 900.0)
    other = judge(many(80, seed=2), {}, FEW)
    behind = compared(judgement.scored, other.scored, FEW)
    found = [Contestant(SUBJECT, judgement, cost, None), Contestant(SUBJECT, other, cost, behind)]
    text = comparison_page(found)
    assert text.count("| 1,234,567 | 8.0 | 200 | 900 |") == 2
    assert "DeLong's test of the AUC beside it" in text
    assert comparison_picture(found).startswith(b"\x89PNG")
    plain = json.loads(json.dumps(comparison_record(found), allow_nan=False))["networks"]
    assert "delong" not in plain[0]
    assert plain[1]["delong"]["p_value"] == behind.delong.p_value
    assert plain[1]["cost"]["ms_per_study"] == 200


def test_figures_without_a_value_or_an_interval_say_so() -> None:
    nothing = float("nan")
    assert written(Estimate(nothing, nothing, nothing)) == "not defined"
    assert written(Estimate(0.5, nothing, nothing)) == "0.500 (no interval)"
    assert written(Estimate(0.5, 0.25, 0.75)) == "0.500 (0.250 to 0.750)"
    assert table(["a"], [["x|y"]])[-1] == "| x\\|y |"
