"""The command that makes the demonstration weights, at a size that proves nothing but that it runs."""

import logging
from itertools import pairwise
from pathlib import Path

import pytest

from models import load_bundle, read_manifest
from models.demo_weights import TEST_SEED, VALIDATION_SEED, main

pytestmark = [
    pytest.mark.slow,
    # TensorFlow's tensors answer NumPy 2's copy keyword with a warning whenever Keras saves a network
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

SMALL = [
    "--train",
    "2",
    "--validation",
    "2",
    "--test",
    "2",
    "--crop-epochs",
    "0",
    "--heart-epochs",
    "0",
    "--whole-epochs",
    "0",
]


def test_it_writes_a_bundle_that_loads_and_says_what_it_is(tmp_path: Path) -> None:
    given = ["--out", str(tmp_path / "bundle"), "--version", "7", "--seed", "3", *SMALL]
    assert main(given) == 0
    logging.getLogger("models").setLevel(logging.NOTSET)
    manifest = read_manifest(tmp_path / "bundle")
    assert manifest.version == "7"
    assert manifest.demonstration
    assert manifest.command == (
        "python -m models.demo_weights --out FOLDER --version 7 --train 2 --validation 2 --test 2 "
        "--crop-epochs 0 --heart-epochs 0 --whole-epochs 0 --seed 3"
    )
    assert manifest.scores["test"]["n"] == 2
    assert manifest.scores["test"]["seeds"] == [TEST_SEED, TEST_SEED + 1]
    assert manifest.scores["validation"]["seeds"] == [VALIDATION_SEED, VALIDATION_SEED + 1]
    assert load_bundle(tmp_path / "bundle").threshold == manifest.threshold


def test_the_shipped_weights_met_the_bar_on_phantoms_they_never_saw() -> None:
    scores = read_manifest().scores
    train, validation, test = (scores[name] for name in ("train", "validation", "test"))
    assert test["n"] >= 100
    assert test["auc"] >= 0.95
    assert test["attention_ratio_in_crop"] >= 2
    assert test["attention_ratio_in_wall"] >= 2
    ranges = sorted([train["seeds"], validation["seeds"], test["seeds"]])
    assert all(one[1] < other[0] for one, other in pairwise(ranges))
