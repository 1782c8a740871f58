"""What holds of every network; a file added to the zoo is tested here by being there."""

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.registry import ARCHITECTURES
from tests.models.cines import in_fresh_python

pytestmark = [
    pytest.mark.slow,
    # TensorFlow's tensors answer NumPy 2's copy keyword with a warning whenever Keras saves a network
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

SMALL = (10, 4, 32, 32, 1)
PARAMETERS = {
    "cnn-lstm-ref": 330_436,
    "cnn3d-ref": 46_445_445,
    "dual-attention": 1_414_058,
    "dual-attention-ref": 1_418_090,
    "spatial-ref": 902_129,
    "spatiotemporal": 1_380_273,
    "spatiotemporal-ref": 1_384_161,
    "st2d-ref": 440_593,
    "stran": 1_425_678,
    "stran-ref": 1_429_582,
    "stran-v2ref": 1_444_750,
    "temporal-ref": 375_281,
}
# attention that is 1 everywhere can learn nothing: so it is in the public release, and in what repeats it
DEAD = {"dual-attention-ref": 36, "stran-ref": 52, "stran-v2ref": 52}


def module(architecture: str) -> Any:
    return importlib.import_module(ARCHITECTURES[architecture])


def small(architecture: str, seed: int = 5) -> Any:
    import keras

    keras.utils.set_random_seed(seed)
    return module(architecture).build(shape=SMALL)


def cines(count: int = 1) -> np.ndarray:
    return np.random.default_rng(1).random((count, *SMALL), dtype=np.float32)


@pytest.mark.parametrize("architecture", PARAMETERS)
def test_it_has_exactly_the_parameters_of_its_specification(architecture: str) -> None:
    assert module(architecture).build().count_params() == PARAMETERS[architecture]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_gradient_reaches_every_tensor_that_is_not_known_to_be_dead(architecture: str) -> None:
    import tensorflow as tf

    network = small(architecture)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(network(cines(2), training=True))
    gradients = tape.gradient(loss, [weight.value for weight in network.trainable_variables])
    dead = [
        weight.path
        for weight, gradient in zip(network.trainable_variables, gradients, strict=True)
        if gradient is None or not np.abs(np.asarray(gradient)).max() > 0
    ]
    assert len(dead) == DEAD.get(architecture, 0), dead
    assert len(network.trainable_variables) == 120 or architecture != "stran-ref"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_attention_it_declares_differs_from_place_to_place(architecture: str) -> None:
    from models.gates import with_gates

    outputs = with_gates(small(architecture), module(architecture).ATTENTION)(cines())
    gates = [np.asarray(gate) for gate in outputs[1:]]
    assert bool(gates) == (architecture in ("stran", "dual-attention"))
    assert all(gate.std() > 0 for gate in gates)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_in_mixed_precision_it_answers_much_the_same(architecture: str) -> None:
    import keras

    network = small(architecture)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = small(architecture)
    finally:
        keras.config.set_dtype_policy("float32")
    mixed.set_weights(network.get_weights())
    answer = np.asarray(mixed(cines()))
    assert answer.dtype == np.float32
    assert answer == pytest.approx(np.asarray(network(cines())), abs=0.02)


ASK = """
import importlib, json, keras, numpy
from models.registry import ARCHITECTURES
cine, answers = numpy.load(FOLDER + '/cine.npy'), {}
for name in NAMES:
    importlib.import_module(ARCHITECTURES[name])
    network = keras.saving.load_model(f'{FOLDER}/{name}.keras', safe_mode=True, compile=False)
    answers[name] = float(network.predict_on_batch(cine)[0, 0])
print(json.dumps([keras.backend.backend(), answers]))
"""
# JAX compiles for long: `test_stran` asks the true 4D family there, and these two the other families
ON_JAX = ["st2d", "stran-v2ref"]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    """Every network saved in a folder, and what it answered before."""
    folder = tmp_path_factory.mktemp("networks")
    np.save(folder / "cine.npy", cines())
    here = {}
    for name in ARCHITECTURES:
        network = small(name)
        network.save(folder / f"{name}.keras")
        here[name] = float(np.asarray(network(cines()))[0, 0])
    assert len(set(here.values())) == len(here)
    return folder, here


@pytest.mark.parametrize(
    ("backend", "names", "tolerance"), [("tensorflow", [*ARCHITECTURES], 1e-6), ("jax", ON_JAX, 1e-4)]
)
def test_saved_networks_answer_the_same_in_a_fresh_process(
    answers: tuple[Path, dict[str, float]], backend: str, names: list[str], tolerance: float
) -> None:
    pytest.importorskip(backend, reason=f"{backend} is not installed")
    folder, here = answers
    done = in_fresh_python(f"FOLDER, NAMES = {str(folder)!r}, {names}\n{ASK}", KERAS_BACKEND=backend)
    assert done.returncode == 0, done.stderr
    used, there = json.loads(done.stdout.splitlines()[-1])
    assert used == backend
    assert there == pytest.approx({name: here[name] for name in names}, abs=tolerance)


@pytest.mark.parametrize(("architecture", "blind"), [("spatial", True), ("spatiotemporal", False)])
def test_only_the_network_without_time_is_blind_to_the_order_of_the_phases(
    architecture: str, blind: bool
) -> None:
    network, cine = small(architecture), cines()
    backwards, shuffled = cine[:, ::-1], cine[:, np.random.default_rng(2).permutation(SMALL[0])]
    answers = [float(np.asarray(network(one))[0, 0]) for one in (cine, backwards, shuffled)]
    assert (max(answers) - min(answers) < 1e-6) == blind
