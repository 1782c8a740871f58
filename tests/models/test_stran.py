"""The network is the one specified, whole and alive."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.models.cines import in_fresh_python

pytestmark = [
    pytest.mark.slow,
    # TensorFlow's tensors answer NumPy 2's copy keyword with a warning whenever Keras saves a network
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

SMALL = (1, 12, 4, 32, 32, 1)


def small_cine(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(SMALL, dtype=np.float32)


@pytest.mark.parametrize(("pooling", "parameters"), [("mean+max", 1_425_678), ("mean", 1_425_550)])
def test_it_has_exactly_the_parameters_of_the_specification(pooling: str, parameters: int) -> None:
    from models.zoo import stran

    assert stran.build(pooling=pooling).count_params() == parameters


def test_a_study_of_the_specified_size_gives_one_probability_and_four_gates() -> None:
    from models.gates import with_gates
    from models.zoo import stran

    answer = with_gates(stran.build(shape=(20, 10, 64, 64, 1)), stran.ATTENTION)
    shapes = [tuple(output.shape) for output in answer.outputs]
    assert shapes == [(None, 1)] + [(None, 20, 10, side, side, 1) for side in (32, 16, 8, 4)]


@pytest.mark.parametrize("shape", [(1, 20, 6, 32, 48, 1), (2, 9, 1, 40, 40, 1)])
def test_it_takes_any_number_of_phases_slices_rows_and_columns(shape: tuple[int, ...]) -> None:
    from models.zoo import stran

    answer = np.asarray(stran.build()(np.zeros(shape, np.float32)))
    assert answer.shape == (shape[0], 1)
    assert ((answer > 0) & (answer < 1)).all()


# a softmax does not notice what is added to every score
@pytest.mark.parametrize(("gate", "shiftless"), [("sigmoid", ""), ("softmaxN", "score_bias")])
def test_every_trainable_tensor_learns(gate: str, shiftless: str) -> None:
    import keras
    import tensorflow as tf

    from models.zoo import stran

    keras.utils.set_random_seed(5)
    network = stran.build(gate=gate)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(network(small_cine(), training=True))
    gradients = tape.gradient(loss, [weight.value for weight in network.trainable_variables])
    dead = [
        weight.path
        for weight, gradient in zip(network.trainable_variables, gradients, strict=True)
        if gradient is None or not np.abs(np.asarray(gradient)).max() > 0
    ]
    assert [path for path in dead if not (shiftless and path.endswith(shiftless))] == []


def test_the_published_gate_teaches_its_attention_nothing() -> None:
    import keras
    import tensorflow as tf

    from models.zoo import stran

    keras.utils.set_random_seed(5)
    network = stran.build(gate="ref")
    gates = [weight for weight in network.trainable_variables if "score_kernel" in weight.path]
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(network(small_cine(), training=True))
    gradients = tape.gradient(loss, [gate.value for gate in gates])
    assert len(gates) == 13
    assert all(gradient is None or not np.asarray(gradient).any() for gradient in gradients)


def test_a_saved_network_answers_the_same_in_a_fresh_process(tmp_path: Path) -> None:
    import keras

    from models.zoo import stran

    keras.utils.set_random_seed(5)
    network = stran.build(gate="softmaxN", pooling="mean")
    network.save(tmp_path / "network.keras")
    np.save(tmp_path / "cine.npy", small_cine())
    code = (
        "import sys, keras, numpy, models.zoo.stran\n"
        f"network = keras.saving.load_model('{tmp_path}/network.keras', safe_mode=True, compile=False)\n"
        f"print(float(network(numpy.load('{tmp_path}/cine.npy'))[0, 0]), network.count_params())"
    )
    done = in_fresh_python(code, KERAS_BACKEND="tensorflow")
    assert done.returncode == 0, done.stderr
    probability, parameters = done.stdout.split()
    assert float(probability) == pytest.approx(float(network(small_cine())[0, 0]), abs=1e-6)
    assert int(parameters) == 1_425_550


ASK = """
import json, sys, numpy, keras, models.zoo.stran
from models.gates import with_gates
folder = sys.argv[1] if len(sys.argv) > 1 else FOLDER
network = keras.saving.load_model(folder + '/network.keras', safe_mode=True, compile=False)
answers = with_gates(network, models.zoo.stran.ATTENTION)(numpy.load(folder + '/cine.npy'))
numbers = [keras.ops.convert_to_numpy(one) for one in answers]
print(json.dumps([keras.backend.backend(), float(numbers[0][0, 0]), *(float(one.std()) for one in numbers[1:])]))
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_gives_the_same_answer(backend: str, tmp_path: Path) -> None:
    pytest.importorskip(backend, reason=f"{backend} is not installed")
    import keras

    from models.zoo import stran

    keras.utils.set_random_seed(5)
    stran.build().save(tmp_path / "network.keras")
    np.save(tmp_path / "cine.npy", small_cine())
    answers = {}
    for name in ("tensorflow", backend):
        done = in_fresh_python(f"FOLDER = {str(tmp_path)!r}\n{ASK}", KERAS_BACKEND=name)
        assert done.returncode == 0, done.stderr
        answers[name] = json.loads(done.stdout.splitlines()[-1])
    assert answers[backend][0] == backend
    assert answers[backend][1:] == pytest.approx(answers["tensorflow"][1:], abs=1e-4)
