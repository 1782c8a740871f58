"""A manifest is read without a framework, and believed only as far as it can be checked."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from models import Manifest, WeightsCorrupt, read_manifest
from tests.models.cines import in_fresh_python

Edited = Callable[..., Path]


def test_importing_models_and_reading_a_manifest_loads_no_framework() -> None:
    code = (
        "import sys, models; models.read_manifest();"
        "print(sorted({'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)))"
    )
    done = in_fresh_python(code)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_shipped_manifest_says_what_the_weights_are(shipped: Path) -> None:
    manifest = read_manifest()
    assert manifest == read_manifest(shipped)
    assert manifest.demonstration
    assert manifest.label == "Scar"
    assert manifest.architecture == "stran"
    assert "phantoms" in manifest.trained_on


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    manifest = replace(read_manifest(), name="Other", threshold=0.25, attention=())
    (tmp_path / "manifest.json").write_text(manifest.as_json())
    assert read_manifest(tmp_path) == manifest


def test_the_identity_tells_weights_and_preprocessing_apart() -> None:
    manifest = read_manifest()
    other = replace(manifest, preprocessing=replace(manifest.preprocessing, spacing_mm=1.5))
    assert manifest.identity.weights_sha256 == manifest.weights_sha256
    assert other.identity.preprocessing_sha256 != manifest.identity.preprocessing_sha256
    assert other.identity != manifest.identity


def test_a_folder_without_a_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsCorrupt, match=r"manifest\.json cannot be read"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 1.5},
        {"threshold": "high"},
        {"name": ""},
        {"weights_sha256": "abc"},
        {"surprise": 1},
        {"preprocessing_sha256": "0" * 64},
        {"preprocessing": {"spacing_mm": 2.0}},
        {"contract": {"min_slices": 6, "colour": "red"}},
        {"attention": 3},
    ],
)
def test_a_manifest_that_cannot_be_right_is_refused(changes: dict[str, object], edited: Edited) -> None:
    with pytest.raises(WeightsCorrupt, match="is not a model manifest"):
        read_manifest(edited(**changes))


@pytest.mark.parametrize("text", ["", "[]", "null", "[" * 100_000, "{}", '{"name": NaN}'])
def test_a_file_that_is_no_manifest_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(WeightsCorrupt, match="is not a model manifest"):
        read_manifest(tmp_path)


def test_a_manifest_of_enormous_size_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"name": "x" * 300_000}))
    with pytest.raises(WeightsCorrupt, match="no model manifest"):
        read_manifest(tmp_path)


def test_the_identity_of_a_manifest_is_equal_to_that_of_an_equal_one() -> None:
    first, second = read_manifest(), read_manifest()
    assert isinstance(first, Manifest)
    assert first.identity == second.identity
