"""Who sees the order of the phases: a cycle forwards against the same cycle played backwards.

`spatial` adds up its phases in the order they come in, so that its two answers differ in the last bits of
float32. Probabilities that are TIE apart or less count as equal, and equal ones count half.
"""

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow

GRID = (10, 4, 16, 16)
TIE = 1e-6
STUDIES = 64


def cycles(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Beating discs, fast to contract and slow to relax, every second one played backwards."""
    rng = np.random.default_rng(seed)
    phases = np.arange(GRID[0]) / GRID[0]
    systole = rng.uniform(0.2, 0.35, (count, 1))
    shortened = np.where(phases < systole, phases / systole, (1 - phases) / (1 - systole))
    row, column = np.mgrid[: GRID[2], : GRID[3]] - (GRID[2] - 1) / 2
    radius = (rng.uniform(4.5, 6, (count, 1)) - 2.2 * shortened)[:, :, None, None, None]
    discs = 1 / (1 + np.exp(2 * (np.hypot(row, column) - radius)))
    cine = np.repeat(discs, GRID[1], axis=2) + rng.normal(0, 0.03, (count, *GRID))
    backwards = np.arange(count) % 2 == 1
    cine[backwards] = cine[backwards][:, ::-1]
    return np.clip(cine, 0, 1).astype(np.float32)[..., None], backwards


def auc_of(network: Any, cine: np.ndarray, label: np.ndarray) -> float:
    probability = np.asarray(network.predict(cine, batch_size=8, verbose=0), float).ravel()
    apart = probability[label][:, None] - probability[~label][None, :]
    return float(((apart > TIE) + 0.5 * (np.abs(apart) <= TIE)).mean())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_network_without_time_is_exactly_undecided_whatever_its_weights(seed: int) -> None:
    import keras

    from models.zoo import spatial, spatiotemporal

    forwards, _ = cycles(12, seed)
    cine = np.concatenate([forwards, forwards[:, ::-1]])
    label = np.arange(24) >= 12
    keras.utils.set_random_seed(seed)
    assert auc_of(spatial.build(shape=(*GRID, 1)), cine, label) == 0.5
    assert auc_of(spatiotemporal.build(shape=(*GRID, 1)), cine, label) != 0.5


def test_a_network_with_time_learns_which_way_the_heart_beats() -> None:
    import keras

    from models.zoo import spatiotemporal

    keras.utils.set_random_seed(1)
    network = spatiotemporal.build(shape=(*GRID, 1))
    network.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy", jit_compile=False)
    cine, label = cycles(STUDIES, seed=1)
    network.fit(cine, label.astype(np.float32)[:, None], batch_size=8, epochs=6, verbose=0)
    found = auc_of(network, *cycles(40, seed=2))
    assert found > 0.9, f"AUC {found:.3f}"
