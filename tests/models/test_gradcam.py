"""Grad-CAM against a case that can be written down, and in every network of the zoo."""

import importlib
import json

import numpy as np
import pytest

from models.explanation.features import IMAGE, Axis, Features, in_space, on_cine
from models.registry import ARCHITECTURES
from tests.models.cines import in_fresh_python

pytestmark = pytest.mark.slow

STUDY = (4, 2, 32, 32)

TOY = """
import keras, numpy
from models.explanation.features import Axis, Features
from models.explanation.gradcam import GradCam
from models.explanation.gradients import at_weights

def toy(weight=3.0):
    "One filter that passes the cine on, its mean over all positions, one weight."
    cine = keras.Input((4, 2, 8, 8, 1))
    seen = keras.layers.Dense(1, name="filter")(cine)
    flat = keras.layers.Flatten()(seen)
    mean = keras.layers.Lambda(lambda x: keras.ops.mean(x, axis=1, keepdims=True), output_shape=(1,))(flat)
    network = keras.Model(cine, keras.layers.Dense(1, activation="sigmoid", name="scar")(mean))
    network.get_layer("filter").set_weights([numpy.ones((1, 1)), numpy.zeros(1)])
    network.get_layer("scar").set_weights([numpy.full((1, 1), weight), numpy.zeros(1)])
    return network

FEATURES = Features("filter", (Axis("phase"), Axis("slice"), Axis("row"), Axis("column")))
square = numpy.zeros((4, 2, 8, 8), numpy.float32)
square[1:3, 0, 2:5, 3:6] = 0.8
square[2, 0, 3, 4] = 0.4
"""


def toy(backend: str, code: str) -> object:
    done = in_fresh_python(TOY + code, KERAS_BACKEND=backend, PYTHONPATH=".")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_one_filter_and_one_bright_square_give_the_map_that_can_be_written_down(backend: str) -> None:
    pytest.importorskip(backend, reason=f"{backend} is not installed")
    code = (
        "import json\n"
        "explained = GradCam(toy(), FEATURES)(square, (0.5, []))\n"
        "away = float(numpy.abs(explained.map - square / square.max()).max())\n"
        "slope = GradCam(toy(), FEATURES).slope(square)\n"
        "print(json.dumps([away, slope * square.size]))"
    )
    away, slope = toy(backend, code)  # type: ignore[misc]
    assert away < 1e-6
    assert slope == pytest.approx(3.0, rel=1e-4)


def test_a_filter_that_speaks_against_scar_leaves_no_map_and_a_sentence() -> None:
    code = (
        "import json\n"
        "explained = GradCam(toy(-3.0), FEATURES)(square, (0.5, []))\n"
        "print(json.dumps([explained.map is None, *explained.notes]))"
    )
    assert toy("tensorflow", code) == [
        True,
        "Grad-CAM: no feature spoke for scar in this study, so that there is nothing to show",
    ]


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_the_gradient_to_weights_is_that_of_the_formula(backend: str) -> None:
    pytest.importorskip(backend, reason=f"{backend} is not installed")
    code = (
        "import json\n"
        "dense = keras.layers.Dense(1, use_bias=False)\n"
        "dense.build((1, 3))\n"
        "x = numpy.array([[1.0, 2.0, 3.0]], numpy.float32)\n"
        "score = lambda place: keras.ops.sum(dense(place) ** 2) / 2\n"
        "dense.set_weights([numpy.array([[1.0], [0.0], [1.0]])])\n"
        "print(json.dumps(at_weights(score, x, dense.variables)[0].ravel().tolist()))"
    )
    assert toy(backend, code) == pytest.approx([4.0, 8.0, 12.0])


def test_axes_come_back_where_they_were_and_lost_ones_are_repeated_over() -> None:
    cells = np.zeros((4, 2, 2), np.float32)
    cells[1, 0, 1] = 1.0
    found = on_cine(cells, Features("x", (Axis("phase"), *in_space())), STUDY)
    assert found.shape == STUDY
    assert np.array_equal(found[:, 0], found[:, 1])
    assert np.unravel_index(found[:, 0].argmax(), (4, 32, 32))[0] == 1
    assert (found[1, 0, :8, 24:] == 1.0).all()
    assert found[1, 0, 16:, :16].max() < 0.5


def test_a_stack_of_all_images_is_taken_apart_into_slices_and_phases() -> None:
    cells = np.zeros((32, 32, 8), np.float32)
    cells[5, 6, 1 * 4 + 3] = 1.0
    found = on_cine(cells, Features("x", (*in_space(step=1), Axis(IMAGE))), STUDY)
    assert [int(place) for place in np.argwhere(found == 1.0)[0]] == [3, 1, 5, 6]
    assert found.sum() == 1.0


def test_a_cell_lies_in_the_middle_of_what_it_saw_also_where_edges_were_dropped() -> None:
    cells = np.zeros((4, 2, 7, 7), np.float32)
    cells[0, 0, 6, 2] = 1.0
    axes = (Axis("phase"), Axis("slice"), *in_space(start=1, step=4))
    rows, columns = np.nonzero(
        on_cine(cells, Features("x", axes), STUDY)[0, 0] == on_cine(cells, Features("x", axes), STUDY).max()
    )
    assert 25 <= rows.mean() <= 31
    assert 9 <= columns.mean() <= 13


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_network_says_where_grad_cam_looks_and_what_the_map_has_lost(architecture: str) -> None:
    import keras

    from models.explanation.gradcam import GradCam

    module = importlib.import_module(ARCHITECTURES[architecture])
    keras.utils.set_random_seed(3)
    network = module.build(shape=(10, 4, 32, 32, 1))
    cine = np.random.default_rng(1).random((10, 4, 32, 32), dtype=np.float32)
    method = GradCam(network, module.FEATURES)
    head = network.get_layer(module.FEATURES.score)
    for sign in (1, -1):
        head.set_weights([sign * np.abs(one) for one in head.get_weights()])
        first, again = method(cine, (0.5, [])), method(cine, (0.5, []))
        if first.map is not None:
            break
    assert first.map is not None
    assert again.map is not None
    assert first.map.tobytes() == again.map.tobytes()
    assert first.map.shape == cine.shape
    assert (first.map.dtype, first.map.min() >= 0, 0.5 < first.map.max() <= 1) == (np.float32, True, True)
    lost = {
        "stran-v2ref": "no phases apart",
        "cnn3d": "no phases apart",
        "st2d-ref": "one stack",
        "cnn3d-ref": "one stack",
    }
    true_4d = {
        "spatial",
        "temporal",
        "spatiotemporal",
        "dual-attention",
        "stran",
        "st2d",
        "cnn-lstm",
        "cnn-lstm-ref",
    }
    words = "" if architecture in true_4d else lost.get(architecture, "no slices apart")
    assert module.FEATURES.remark == "" if not words else words in method.statement
