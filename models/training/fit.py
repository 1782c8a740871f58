"""Teaching ST-RAN on phantoms. Importing this loads Keras."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from models.gates import with_gates
from models.training.phantoms import Samples
from models.zoo import stran

log = logging.getLogger(__name__)

# Scar is rare: how much more a scarred voxel counts in the gates' loss, and how much that loss counts.
SCAR_WEIGHT: Final = 6.0
GATE_LOSS: Final = 0.25

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of the training: crops of `slices` x `pixels` x `pixels`, for at most `epochs`."""

    slices: int
    pixels: int
    epochs: int
    rate: float
    batch: int = 8
    patience: int = 6


class Crops(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of crops about scar, or wall where there is none; the same for the same seed.

    The crop decides whether there is scar to see.
    """

    def __init__(self, samples: Samples, stage: Stage, *, seed: int, varied: bool) -> None:
        super().__init__()
        self._samples, self._stage, self._seed, self._varied = samples, stage, seed, varied
        self._batch = min(stage.batch, len(samples))
        self._epoch = 0

    def __len__(self) -> int:
        return len(self._samples) // self._batch

    def on_epoch_end(self) -> None:
        """Another order, other crops."""
        self._epoch += self._varied

    def __getitem__(self, index: int) -> tuple[Array, dict[str, Array]]:
        order = np.random.default_rng((self._seed, self._epoch)).permutation(len(self._samples))
        rng = np.random.default_rng((self._seed, self._epoch, index))
        batch = order[index * self._batch : (index + 1) * self._batch]
        pairs = [self._crop(int(sample), rng) for sample in batch]
        cine = np.stack([pair[0] for pair in pairs])[..., None]
        scar = np.stack([pair[1] for pair in pairs])
        targets = {name: pooled(scar, 2**level)[..., None] for level, name in enumerate(stran.ATTENTION, 1)}
        label = (scar > 0.5).sum(axis=(1, 2, 3, 4)) > 0
        return cine, {"scar": label.astype(np.float32)[:, None], **targets}

    def _crop(self, sample: int, rng: np.random.Generator) -> tuple[Array, Array]:
        scar, wall = self._samples.scar[sample], self._samples.myocardium[sample]
        place = self._place(scar if (scar[0] > 50).any() else wall, rng)
        cine = self._samples.cine[sample][place].astype(np.float32)
        mask = (scar[place] / 100.0).astype(np.float32)
        return (_vary(cine, rng) if self._varied else cine), mask

    def _place(self, tissue: NDArray[np.uint8], rng: np.random.Generator) -> tuple[slice, ...]:
        """About any voxel of `tissue` in the first phase, not always in the crop's middle."""
        voxels = np.argwhere(tissue[0] > 50)
        wanted = (self._stage.slices, self._stage.pixels, self._stage.pixels)
        place = [slice(None)]
        for middle, size, extent in zip(
            voxels[rng.integers(len(voxels))], tissue.shape[1:], wanted, strict=True
        ):
            start = int(middle) - extent // 2 + int(rng.integers(-extent // 6, extent // 6 + 1))
            start = min(max(start, 0), size - extent)
            place.append(slice(start, start + extent))
        return tuple(place)


def pooled(mask: Array, factor: int) -> Array:
    """(…, row, column) at 1 / factor of its size: the largest of each factor x factor block."""
    rows, columns = (size // factor for size in mask.shape[-2:])
    held = mask[..., : rows * factor, : columns * factor]
    blocks = held.reshape(*mask.shape[:-2], rows, factor, columns, factor)
    largest: Array = blocks.max(axis=(-3, -1))
    return largest


def _vary(cine: Array, rng: np.random.Generator) -> Array:
    """Windowed otherwise and a little noisier."""
    gain, shift, gamma = rng.uniform(0.85, 1.15), rng.uniform(-0.05, 0.05), rng.uniform(0.8, 1.25)
    noise = rng.normal(0, rng.uniform(0, 0.02), cine.shape)
    return np.clip(cine**gamma * gain + shift + noise, 0, 1).astype(np.float32)


def gate_loss(truth: Any, gate: Any) -> Any:
    """Cross-entropy of half the gate (0..2) against the share of scar, scar weighted."""
    share = ops.clip(ops.cast(gate, "float32") / 2.0, 1e-4, 1 - 1e-4)
    scar = SCAR_WEIGHT * truth * ops.log(share)
    return -ops.mean(scar + (1 - truth) * ops.log(1 - share))


def fit(
    network: Any, stage: Stage, train: Samples, validation: Samples, *, seed: int, best: Path
) -> Mapping[str, Any]:
    """Train `network` in place; it ends with the weights of its best epoch, kept in `best`.

    Stops on, and keeps the best of, one quantity: the validation loss, gates included.
    """
    keras.utils.set_random_seed(seed)
    twin = _half_precision(network)
    gated = with_gates(twin, stran.ATTENTION)
    model = keras.Model(gated.input, dict(zip(("scar", *stran.ATTENTION), gated.outputs, strict=True)))
    crops = Crops(train, stage, seed=seed, varied=True)
    steps = len(crops) * stage.epochs
    rate = keras.optimizers.schedules.CosineDecay(
        stage.rate / 10, steps, alpha=0.05, warmup_target=stage.rate, warmup_steps=min(40, steps // 10)
    )
    model.compile(
        optimizer=keras.optimizers.Adam(rate, clipnorm=1.0),
        loss={"scar": "binary_crossentropy", **dict.fromkeys(stran.ATTENTION, gate_loss)},
        loss_weights={"scar": 1.0, **dict.fromkeys(stran.ATTENTION, GATE_LOSS)},
        metrics={"scar": [keras.metrics.AUC(name="auc")]},
        jit_compile=False,
    )
    held = Crops(validation, stage, seed=seed + 1, varied=False)
    history = model.fit(
        crops,
        validation_data=held,
        epochs=stage.epochs,
        verbose=0,
        shuffle=False,
        callbacks=_callbacks(stage, best),
    )
    model.load_weights(best)
    network.set_weights(twin.get_weights())
    epochs: Mapping[str, Any] = history.history
    return epochs


def _half_precision(network: Any) -> Any:
    """The same network and weights computing in bfloat16: 2.5 times faster where the CPU knows it."""
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        twin = stran.build()
    finally:
        keras.config.set_dtype_policy(usual)
    twin.set_weights(network.get_weights())
    return twin


def _callbacks(stage: Stage, best: Path) -> list[Any]:
    def say(epoch: int, logs: Mapping[str, float]) -> None:
        figures = " ".join(f"{name} {value:.3f}" for name, value in logs.items() if "block" not in name)
        log.info("epoch %d of %d: %s", epoch + 1, stage.epochs, figures)

    return [
        keras.callbacks.LambdaCallback(on_epoch_end=say),
        keras.callbacks.EarlyStopping(monitor="val_loss", patience=stage.patience),
        keras.callbacks.ModelCheckpoint(
            best, monitor="val_loss", save_best_only=True, save_weights_only=True
        ),
    ]
