"""Gates of four sizes become one map."""

import numpy as np
import pytest

from models.attention import combined, shown


def test_neutral_gates_make_a_neutral_map() -> None:
    gates = [np.ones((3, 2, side, side), np.float32) for side in (8, 4, 2)]
    assert combined(gates, 16) == pytest.approx(np.ones((3, 2, 16, 16)))


def test_the_map_is_the_geometric_mean_of_the_gates() -> None:
    gates = [np.full((1, 1, 4, 4), value, np.float32) for value in (2.0, 0.5, 1.0)]
    assert combined(gates, 8) == pytest.approx(np.full((1, 1, 8, 8), 1.0))
    assert combined(gates[:1] * 2 + gates[1:2], 8) == pytest.approx(np.full((1, 1, 8, 8), 2 ** (1 / 3)))


def test_a_coarse_gate_is_enlarged_about_its_own_centre() -> None:
    gate = np.full((1, 1, 4, 4), 0.5, np.float32)
    gate[0, 0, 1, 2] = 2.0
    enlarged = combined([gate], 16)[0, 0]
    rows, columns = np.mgrid[:16, :16]
    weight = enlarged - enlarged.min()
    assert (rows * weight).sum() / weight.sum() == pytest.approx(1.5 * 4 - 0.5, abs=0.01)
    assert (columns * weight).sum() / weight.sum() == pytest.approx(2.5 * 4 - 0.5, abs=0.01)


def test_a_closed_gate_closes_the_map_without_dividing_by_nought() -> None:
    assert combined([np.zeros((1, 1, 4, 4), np.float32)], 4).max() < 1e-5


def test_the_strongest_gate_is_shown_as_one() -> None:
    gate = np.linspace(0.2, 1.6, 16, dtype=np.float32).reshape(1, 1, 4, 4)
    assert shown(gate).max() == 1.0
    assert shown(gate).min() == pytest.approx(0.2 / 1.6)


def test_dampened_gates_are_not_made_to_look_strong() -> None:
    gate = np.linspace(0.0, 0.3, 16, dtype=np.float32).reshape(1, 1, 4, 4)
    assert shown(gate) == pytest.approx(gate)
