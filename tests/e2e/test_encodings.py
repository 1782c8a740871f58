"""One real study in nine transfer syntaxes and as one Enhanced MR object: one volume, one probability."""

from collections.abc import Callable
from pathlib import Path

import pytest

from models import ModelAdapter, load_bundle
from pipeline import CineVolume, Study, assemble, find_stack, read_study
from tests.pipeline.reencode import LOSSLESS, as_multi_frame, reencode

pytestmark = [pytest.mark.slow, pytest.mark.data]


@pytest.fixture(scope="module")
def model() -> ModelAdapter:
    return load_bundle()


@pytest.fixture(scope="module")
def reference(model: ModelAdapter, sunnybrook: Callable[[str], list[Path]]) -> tuple[str, float]:
    """Digest and probability of the study as it came."""
    return _read(model, sunnybrook("SC-HF-I-4"))


def _read(model: ModelAdapter, files: list[Path]) -> tuple[str, float]:
    study, volume = _volume(files)
    return volume.digest, model.predict(volume, study).probability


def _volume(files: list[Path]) -> tuple[Study, CineVolume]:
    study = read_study(tuple(files))
    stack = find_stack(study.facts)
    return study, assemble(study, stack, allow_missing=False)


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda uid: uid.name)
def test_a_lossless_encoding_changes_neither_volume_nor_answer(
    model: ModelAdapter,
    reference: tuple[str, float],
    sunnybrook: Callable[[str], list[Path]],
    tmp_path: Path,
    syntax: str,
) -> None:
    files = [reencode(path, tmp_path, syntax) for path in sunnybrook("SC-HF-I-4")]
    assert _read(model, files) == reference


@pytest.mark.parametrize("legacy", [False, True])
def test_a_multi_frame_object_changes_neither_volume_nor_answer(
    model: ModelAdapter,
    reference: tuple[str, float],
    sunnybrook: Callable[[str], list[Path]],
    tmp_path: Path,
    legacy: bool,
) -> None:
    file = as_multi_frame(sunnybrook("SC-HF-I-4"), tmp_path, legacy=legacy)
    assert _read(model, [file]) == reference
