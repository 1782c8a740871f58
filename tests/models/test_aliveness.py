"""The shipped bundle's maps live; an attention that is 1 everywhere is found dead."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models import Method, read_manifest
from models.explanation.aliveness import Lesions, prove
from models.manifest import MANIFEST_NAME, WEIGHTS_NAME
from models.training.phantoms import draw_samples
from pipeline.preprocessing import Preprocessing

pytestmark = [
    pytest.mark.slow,
    # TensorFlow's tensors answer NumPy 2's copy keyword with a warning whenever Keras saves a network
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def lesions(shape: tuple[int, ...]) -> Lesions:
    cine = np.random.default_rng(1).random((2, *shape), dtype=np.float32)
    lesion = np.zeros_like(cine)
    lesion[:, :, 2:4, 20:30, 20:30] = 1.0
    return Lesions(cine, lesion)


def test_the_shipped_maps_depend_on_what_was_learned() -> None:
    scarred = draw_samples([20001, 20003], Preprocessing(), found=True, cache=None)
    hearts = Lesions(scarred.cine, (scarred.scar / 100).astype(np.float32))
    verdicts = prove(None, hearts, [Method.ATTENTION, Method.GRADCAM])
    assert set(verdicts) == {Method.ATTENTION, Method.GRADCAM}
    for verdict in verdicts.values():
        assert verdict.rank_correlation < 0.5
        assert verdict.variance > 0
        assert verdict.gradient is not None
        assert verdict.gradient > 0


def test_the_shipped_manifest_records_what_was_proved() -> None:
    recorded = read_manifest().explanations
    assert recorded[Method.ATTENTION].alive
    assert recorded[Method.GRADCAM].alive


def test_an_attention_that_is_one_everywhere_is_proved_dead(
    tmp_path: Path,
) -> None:
    import hashlib

    from models.zoo import stran

    recipe = Preprocessing(phases=6, slices=4, pixels=32, min_slices=4)
    bundle = tmp_path / "dead"
    bundle.mkdir()
    stran.build(gate="ref").save(bundle / WEIGHTS_NAME)
    digest = hashlib.sha256((bundle / WEIGHTS_NAME).read_bytes()).hexdigest()
    manifest = replace(read_manifest(), preprocessing=recipe, weights_sha256=digest)
    (bundle / MANIFEST_NAME).write_text(manifest.as_json())
    verdict = prove(bundle, lesions((6, 4, 32, 32)), [Method.ATTENTION])[Method.ATTENTION]
    assert not verdict.alive
    assert verdict.gradient == 0
    assert "its map is the same everywhere" in verdict.sentence
    assert "no gradient reaches it" in verdict.sentence
