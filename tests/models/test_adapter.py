"""One volume in, one answer on the scanner's grid out."""

from dataclasses import replace

import numpy as np
import pytest

from models import ContractViolation, InferenceFailed, ModelAdapter
from models.adapter import BundleAdapter
from pipeline import CineVolume, InputContract
from pipeline.phantom import Scan, draw_heart, render
from tests.models.cines import cine, in_fresh_python

pytestmark = pytest.mark.slow


def test_the_answer_lies_on_the_scanners_grid_and_is_signed(demonstration: ModelAdapter) -> None:
    volume = cine(phases=15, slices=12, size=90)
    answer = demonstration.predict(volume)
    assert answer.model == demonstration.identity
    assert 0.0 <= answer.probability <= 1.0
    assert answer.attention is not None
    assert answer.attention.shape == volume.voxels.shape
    assert answer.attention.dtype == np.float32
    assert answer.attention.min() >= 0.0
    assert answer.attention.max() <= 1.0
    assert not answer.attention.flags.writeable


def test_the_answer_says_how_the_heart_was_found_and_what_was_resampled(demonstration: ModelAdapter) -> None:
    notes = " / ".join(demonstration.predict(cine(phases=15, slices=12)).notes)
    assert "heart found by: disc surrounded by moving edges" in notes
    assert "15 phases resampled to 20" in notes
    assert "slices 2 to 11 of 12" in notes
    assert "strongest attention gate" in notes


def test_the_same_volume_gets_the_same_answer_to_the_last_bit(demonstration: ModelAdapter) -> None:
    first, second = demonstration.predict(cine()), demonstration.predict(cine())
    assert first.probability == second.probability
    assert np.array_equal(first.attention, second.attention)


def test_another_process_gives_the_same_probability(demonstration: ModelAdapter) -> None:
    code = (
        "from tests.models.cines import cine\nfrom models import load_bundle\n"
        "print(load_bundle().predict(cine()).probability)"
    )
    done = in_fresh_python(code, PYTHONPATH=".")
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(demonstration.predict(cine()).probability, abs=1e-6)


@pytest.mark.parametrize(("phases", "slices"), [(7, 10), (20, 5), (20, 1)])
def test_a_volume_that_breaks_the_contract_is_refused_in_words(
    phases: int, slices: int, demonstration: ModelAdapter
) -> None:
    with pytest.raises(ContractViolation, match=f"ST-RAN: ({phases} phases|{slices} slices)"):
        demonstration.predict(cine(phases=phases, slices=slices))


def test_a_tenth_of_the_planes_may_be_filled_and_no_more(demonstration: ModelAdapter) -> None:
    assert demonstration.contract == InputContract(min_slices=6, max_filled=0.1)
    cells = tuple((phase, slice_) for slice_ in (4, 5) for phase in range(20))
    assert demonstration.predict(replace(cine(), filled=cells[:20])).attention is not None
    with pytest.raises(ContractViolation, match=r"10\.5% of the planes are missing"):
        demonstration.predict(replace(cine(), filled=cells[:21]))


def test_the_map_is_alive(demonstration: ModelAdapter) -> None:
    heart = render(draw_heart(31, scar=True), Scan()).volume
    other = render(draw_heart(32, scar=False), Scan()).volume
    maps = [demonstration.predict(volume).attention for volume in (heart, other)]
    assert maps[0] is not None
    assert maps[1] is not None
    assert maps[0].std() > 0.005
    assert maps[0][:, 5].std(axis=0).max() > 1e-3
    assert np.abs(maps[0] - maps[1]).mean() > 1e-3


@pytest.fixture
def changeable(demonstration: ModelAdapter, monkeypatch: pytest.MonkeyPatch) -> ModelAdapter:
    """The shipped model as Keras computes it: its swift form was derived once, from weights that stay."""
    assert isinstance(demonstration, BundleAdapter)
    monkeypatch.setattr(demonstration.network, "_swift", None)
    return demonstration


def test_the_map_changes_with_the_weights(changeable: ModelAdapter) -> None:
    assert isinstance(changeable, BundleAdapter)
    before = changeable.predict(cine()).attention
    gate = changeable.network._model.get_layer("block3_attention")
    kept = gate.get_weights()
    try:
        gate.set_weights([np.flip(one, axis=0) for one in kept])
        after = changeable.predict(cine()).attention
    finally:
        gate.set_weights(kept)
    assert before is not None
    assert after is not None
    assert np.abs(before - after).mean() > 1e-4


def test_an_answer_that_is_no_number_is_refused(changeable: ModelAdapter) -> None:
    assert isinstance(changeable, BundleAdapter)
    head = changeable.network._model.get_layer("scar")
    kept = head.get_weights()
    try:
        head.set_weights([np.full_like(one, np.nan) for one in kept])
        with pytest.raises(InferenceFailed, match="not finite"):
            changeable.predict(cine())
    finally:
        head.set_weights(kept)


def test_an_input_the_network_cannot_take_is_a_failed_inference(demonstration: ModelAdapter) -> None:
    assert isinstance(demonstration, BundleAdapter)
    with pytest.raises(InferenceFailed, match="the network failed"):
        demonstration.network(np.zeros((20, 10, 64), np.float32))


def test_brightness_does_not_change_the_answer(demonstration: ModelAdapter) -> None:
    volume = cine()
    brighter = replace(volume, voxels=(volume.voxels * 3 + 100).astype(np.float32))
    assert isinstance(brighter, CineVolume)
    answers = [demonstration.predict(one).probability for one in (volume, brighter)]
    assert answers[0] == pytest.approx(answers[1], abs=1e-4)
