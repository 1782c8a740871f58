"""Asking a network about labelled studies, and counting what that computes."""

from dataclasses import replace

import numpy as np
import pytest

from models.errors import ContractViolation
from models.evaluation.asking import ask, part_of
from models.manifest import read_manifest
from tests.models.hearts import RECIPE, hearts


def mean(cine: np.ndarray) -> tuple[float, None]:
    return float(cine.mean()), None


def test_each_study_is_asked_about_alone_and_told_of() -> None:
    examples, manifest = hearts(8), replace(read_manifest(), preprocessing=RECIPE)
    heard: list[None] = []
    scored = ask(mean, manifest, examples, lambda: heard.append(None))
    assert scored.probability == pytest.approx(examples.cine.mean(axis=(1, 2, 3, 4)))
    assert len(heard) == 8
    assert (scored.patients, scored.label_name) == (examples.patients, "Scar")
    assert scored.threshold == manifest.threshold


def test_a_part_keeps_what_belongs_together() -> None:
    examples = hearts(8)
    part = part_of(examples, np.array([6, 1]))
    assert np.array_equal(part.cine[0], examples.cine[6])
    assert part.cine.shape == (2, *examples.cine.shape[1:])
    assert part.studies == (examples.studies[6], examples.studies[1])
    assert part.groups["sex"] == (examples.groups["sex"][6], examples.groups["sex"][1])


def test_studies_that_were_prepared_otherwise_are_refused() -> None:
    with pytest.raises(ContractViolation, match="not prepared as ST-RAN"):
        ask(mean, read_manifest(), hearts(4))


@pytest.mark.slow
def test_operations_are_counted_as_by_hand() -> None:
    import keras

    from models.evaluation.counting import flops
    from models.layers import SpatialConv, TemporalConv

    cine = keras.Input((None, None, None, None, 1))
    x = TemporalConv(3, taps=5)(SpatialConv(2)(cine))
    network = keras.Model(cine, keras.layers.Dense(7)(x))
    voxels = 6 * 4 * 8 * 8
    assert flops(network, (6, 4, 8, 8)) == 2 * voxels * (27 * 1 * 2 + 5 * 2 * 3 + 3 * 7)
    steps = keras.Input((6, 4, 1, 1, 1))
    recurrent = keras.layers.LSTM(5)(keras.layers.Reshape((6, 4))(steps))
    assert flops(keras.Model(steps, recurrent), (6, 4, 1, 1)) == 2 * 6 * (4 + 5) * 20
