"""Training: the crops, the loss, and that a step in the right direction is kept."""

from pathlib import Path

import numpy as np
import pytest

from models.training.phantoms import Samples

pytestmark = [
    pytest.mark.slow,
    # TensorFlow's tensors answer NumPy 2's copy keyword with a warning whenever Keras saves a network
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def samples(count: int = 4) -> Samples:
    """Noise; every second one has a bright block that is its scar."""
    rng = np.random.default_rng(2)
    cine = rng.random((count, 12, 6, 40, 40)).astype(np.float16) * np.float16(0.5)
    scar = np.zeros(cine.shape, np.uint8)
    scar[1::2, :, 2:4, 16:24, 14:20] = 100
    cine[1::2, :, 2:4, 16:24, 14:20] = 1
    wall = np.zeros_like(scar)
    wall[:, :, 1:5, 12:28, 12:28] = 100
    return Samples(cine, scar, wall, np.arange(count, dtype=np.float32) % 2, np.arange(count))


def test_a_crops_label_and_gates_say_what_the_crop_holds() -> None:
    from models.training.fit import Crops, Stage

    crops = Crops(samples(), Stage(slices=3, pixels=32, epochs=1, rate=1e-4, batch=4), seed=3, varied=False)
    cine, targets = crops[0]
    assert len(crops) == 1
    assert cine.shape == (4, 12, 3, 32, 32, 1)
    bright = (cine == 1).any(axis=(1, 2, 3, 4, 5))
    assert targets["scar"][:, 0].tolist() == bright.astype(float).tolist()
    for block, side in zip(("block1", "block2", "block3", "block4"), (16, 8, 4, 2), strict=True):
        assert targets[block].shape == (4, 12, 3, side, side, 1)
        assert (targets[block].max(axis=(1, 2, 3, 4, 5)) == targets["scar"][:, 0]).all()


def test_batches_repeat_for_validation_and_vary_for_training() -> None:
    from models.training.fit import Crops, Stage

    stage = Stage(slices=3, pixels=32, epochs=1, rate=1e-4, batch=4)
    for varied in (False, True):
        crops = Crops(samples(), stage, seed=3, varied=varied)
        first = crops[0][0]
        assert np.array_equal(first, crops[0][0])
        crops.on_epoch_end()
        assert np.array_equal(first, crops[0][0]) is not varied


def test_pooling_keeps_the_largest_of_a_block() -> None:
    from models.training.fit import pooled

    mask = np.zeros((1, 5, 7), np.float32)
    mask[0, 3, 4] = 0.75
    assert pooled(mask, 2)[0].tolist() == [[0, 0, 0], [0, 0, 0.75]]


def test_the_gates_loss_is_least_where_gates_follow_the_scar() -> None:
    from models.training.fit import gate_loss

    truth = np.array([[1.0], [0.0]], np.float32)
    right, neutral, wrong = (
        float(gate_loss(truth, np.array([[a], [b]], np.float32)))
        for a, b in ((1.9, 0.1), (1.0, 1.0), (0.1, 1.9))
    )
    assert right < neutral < wrong
    assert neutral == pytest.approx(np.log(2) * (6 + 1) / 2, rel=1e-3)


def test_a_short_training_changes_the_network_and_keeps_its_best_epoch(tmp_path: Path) -> None:
    import keras

    from models.training.fit import Stage, fit
    from models.zoo import stran

    keras.utils.set_random_seed(1)
    network = stran.build()
    before = network.get_weights()
    stage = Stage(slices=3, pixels=32, epochs=2, rate=3e-4, batch=2)
    history = fit(network, stage, samples(), samples(), seed=1, best=tmp_path / "best.weights.h5")
    assert len(history["val_loss"]) == 2
    assert np.isfinite(history["loss"]).all()
    after = network.get_weights()
    assert sum(not np.array_equal(one, other) for one, other in zip(before, after, strict=True)) > 100
    assert all(one.dtype == np.float32 for one in after)
