"""Networks to be trained: built for a grid, started from a seed or a bundle. Loads Keras when called."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.errors import TrainingRefused
from models.hardware import visible_gpus
from models.manifest import read_manifest
from models.network import keras_network, load_keras
from models.training.plan import TrainingPlan
from pipeline.preprocessing import Preprocessing


def first_network(plan: TrainingPlan, recipe: Preprocessing) -> Any:
    """The network at the start, in float32: random by the plan's seed, or that of the bundle `plan.init`.

    Raises TrainingRefused if the grid is too small for the architecture or the bundle holds another network,
    WeightsCorrupt if it is no sound bundle.
    """
    keras, _ = load_keras(plan.architecture)
    keras.utils.set_random_seed(plan.seed)
    network = built(plan.architecture, recipe)
    if plan.init is not None:
        try:
            network.set_weights(_known(plan.init, plan.architecture))
        except ValueError as error:
            raise TrainingRefused(
                f"{plan.init} was trained on another grid than this one: {error}"
            ) from error
    return network


def _known(folder: Path, architecture: str) -> Any:
    """The weights of a bundle of the same architecture."""
    manifest = read_manifest(folder)
    if manifest.architecture != architecture:
        raise TrainingRefused(f"{folder} holds the network {manifest.architecture}, not {architecture}")
    return keras_network(manifest, folder).get_weights()


def built(architecture: str, recipe: Preprocessing, precision: str = "float32") -> Any:
    """A fresh network that computes in `precision`. Raises TrainingRefused if the grid is too small."""
    keras, module = load_keras(architecture)
    shape = (recipe.phases, recipe.slices, recipe.pixels, recipe.pixels, 1)
    with _policy(keras, precision):
        try:
            return module.build(shape=shape)
        except ValueError as error:
            grid = " x ".join(map(str, shape[:-1]))
            raise TrainingRefused(f"{architecture} cannot be built for cines of {grid}: too small") from error


def twin(network: Any, architecture: str, recipe: Preprocessing, precision: str) -> Any:
    """`network` itself, or the same network and weights computing in half precision."""
    if precision == "float32":
        return network
    other = built(architecture, recipe, precision)
    other.set_weights(network.get_weights())
    return other


def be_repeatable() -> None:
    """Have TensorFlow, if it is the backend, sum in the same order every time on a processor."""
    import keras

    if keras.backend.backend() == "tensorflow" and not visible_gpus():
        sys.modules["tensorflow"].config.experimental.enable_op_determinism()


@contextmanager
def _policy(keras: Any, precision: str) -> Iterator[None]:
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(usual)
