"""A SavedModel's numbers are taken into a network of ours; its graph is never looked at."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import WeightsCorrupt
from models.saved_model import is_saved_model, require_readable, weights_from_saved_model
from pipeline.preprocessing import Preprocessing

pytestmark = [
    pytest.mark.slow,
    # TensorFlow's tensors answer NumPy 2's copy keyword with a warning whenever Keras saves a network
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RECIPE = Preprocessing(spacing_mm=4.0, pixels=32, phases=8, slices=4, min_slices=4)


@pytest.fixture(scope="module")
def network() -> Any:
    import keras

    from models.zoo import stran

    keras.utils.set_random_seed(5)
    built = stran.build(shape=(8, 4, 32, 32, 1))
    built.get_layer("stem_space").set_weights(
        [one + 0.5 for one in built.get_layer("stem_space").get_weights()]
    )
    return built


@pytest.fixture(scope="module", params=["exported by Keras", "saved by TensorFlow"])
def saved(request: pytest.FixtureRequest, network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network as both libraries write it, its graph spoiled: whoever loads that fails."""
    import tensorflow

    folder = tmp_path_factory.mktemp("saved") / "model"
    if request.param == "exported by Keras":
        network.export(folder, format="tf_saved_model", verbose=False)
    else:
        tensorflow.saved_model.save(network, str(folder))
    (folder / "saved_model.pb").write_bytes(b"no graph")
    return folder


def test_the_network_that_comes_out_answers_as_the_one_that_went_in(
    network: Any, saved: Path, tmp_path: Path
) -> None:
    import keras

    assert is_saved_model(saved)
    require_readable(saved)
    weights_from_saved_model(saved, "stran", RECIPE, tmp_path / "weights.keras")
    again = keras.saving.load_model(tmp_path / "weights.keras", safe_mode=True, compile=False)
    cine = np.random.default_rng(0).random((1, 8, 4, 32, 32, 1), np.float32)
    assert np.array_equal(network.predict_on_batch(cine), again.predict_on_batch(cine))


def test_numbers_of_another_network_or_grid_are_refused(saved: Path, tmp_path: Path) -> None:
    for architecture in ("spatial", "st2d"):
        with pytest.raises(WeightsCorrupt, match=f"does not hold the weights of {architecture}"):
            weights_from_saved_model(saved, architecture, RECIPE, tmp_path / "weights.keras")
    assert not (tmp_path / "weights.keras").exists()


def saved_beside(network: Any, folder: Path, **beside: Any) -> Path:
    """The network as TensorFlow saves it within something larger, under these names."""
    import tensorflow

    whole = tensorflow.Module()
    for name, one in {"network": network, **beside}.items():
        setattr(whole, name, one)
    tensorflow.saved_model.save(whole, str(folder))
    return folder


def test_a_network_of_more_than_this_one_is_refused_and_what_is_more_is_named(
    network: Any, tmp_path: Path
) -> None:
    import tensorflow

    more = tensorflow.Variable(np.ones((3, 2), np.float32), name="second_opinion/kernel")
    folder = saved_beside(network, tmp_path / "more", more=more)
    with pytest.raises(
        WeightsCorrupt, match="second_opinion/kernel is in it and not in that network, one of 1"
    ):
        weights_from_saved_model(folder, "stran", RECIPE, tmp_path / "weights.keras")
    assert not (tmp_path / "weights.keras").exists()


def test_an_array_more_under_the_name_of_one_that_is_wanted_is_refused(network: Any, tmp_path: Path) -> None:
    import tensorflow

    kernel = network.get_layer("scar").kernel
    twice = tensorflow.Variable(np.ones(kernel.shape, np.float32), name=kernel.path)
    folder = saved_beside(network, tmp_path / "twice", twice=twice)
    with pytest.raises(WeightsCorrupt, match="scar/kernel is in it several times, with other numbers"):
        weights_from_saved_model(folder, "stran", RECIPE, tmp_path / "weights.keras")


def test_what_training_left_beside_a_network_is_no_part_of_it(tmp_path: Path) -> None:
    import keras
    import tensorflow

    from models.zoo import temporal

    trained = temporal.build(shape=(8, 4, 32, 32, 1))
    trained.compile(keras.optimizers.Adam(), "binary_crossentropy", metrics=["accuracy"])
    trained.train_on_batch(np.ones((2, 8, 4, 32, 32, 1), np.float32), np.array([[0.0], [1.0]]))
    folder = saved_beside(
        trained,
        tmp_path / "trained",
        optimizer=trained.optimizer,
        save_counter=tensorflow.Variable(3, name="save_counter"),
    )
    table = tensorflow.train.load_checkpoint(str(folder / "variables" / "variables"))
    assert len(table.get_variable_to_shape_map()) > 2 * len(trained.variables)
    weights_from_saved_model(folder, "temporal", RECIPE, tmp_path / "weights.keras")
    again = keras.saving.load_model(tmp_path / "weights.keras", safe_mode=True, compile=False)
    for one, other in zip(trained.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_layers_more_are_no_part_of_an_optimizer_that_knows_them(tmp_path: Path) -> None:
    """Their shortest way in the index leads through the optimizer's list of what it optimizes."""
    import keras
    import tensorflow

    from models.zoo import temporal

    network = temporal.build(shape=(8, 4, 32, 32, 1))
    answer = keras.layers.Dense(1, activation="sigmoid", name="second_opinion")(network.output)
    larger = keras.Model(network.input, answer)
    larger.compile(keras.optimizers.Adam(), "binary_crossentropy")
    larger.optimizer.build(larger.trainable_variables)
    whole = tensorflow.Module()
    whole.optimizer = larger.optimizer
    whole.one = tensorflow.Module()
    whole.one.further = tensorflow.Module()
    whole.one.further.down = larger
    tensorflow.saved_model.save(whole, str(tmp_path / "larger"))
    with pytest.raises(
        WeightsCorrupt, match="second_opinion/bias is in it and not in that network, one of 2"
    ):
        weights_from_saved_model(tmp_path / "larger", "temporal", RECIPE, tmp_path / "weights.keras")


def test_a_table_that_was_cut_off_is_refused(saved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    (folder / "variables").mkdir(parents=True)
    for one in (saved / "variables").iterdir():
        content = one.read_bytes()
        (folder / "variables" / one.name).write_bytes(content[: len(content) // 2])
    with pytest.raises(WeightsCorrupt, match="does not hold the weights of stran"):
        weights_from_saved_model(folder, "stran", RECIPE, tmp_path / "weights.keras")


def test_what_is_packed_or_empty_or_too_large_is_refused_before_it_is_read(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "saved.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("model/saved_model.pb", b"graph")
    assert is_saved_model(packed)
    with pytest.raises(WeightsCorrupt, match="unpack it first"):
        require_readable(packed)
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "saved_model.pb").write_bytes(b"graph")
    with pytest.raises(WeightsCorrupt, match="without variables"):
        require_readable(empty)
    monkeypatch.setattr("models.saved_model.MAX_WEIGHTS_BYTES", 1000)
    with pytest.raises(WeightsCorrupt, match="more than 1000 bytes of variables"):
        require_readable(saved)


def test_a_keras_file_and_a_folder_of_something_else_are_none(tmp_path: Path) -> None:
    (tmp_path / "weights.keras").write_bytes(b"PK")
    assert not is_saved_model(tmp_path / "weights.keras")
    assert not is_saved_model(tmp_path)
