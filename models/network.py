"""Verified weights to a warm network. Loads Keras, and only when a function here is called."""

import importlib
import logging
import os
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import InferenceFailed, OutOfMemory, WeightsCorrupt
from models.hardware import computes_on_gpu
from models.ladder import TOLERANCE
from models.manifest import WEIGHTS_NAME, Manifest
from models.registry import ARCHITECTURES
from models.weights_file import MAX_WEIGHTS_BYTES, check_numbers, check_weights

logger = logging.getLogger(__name__)

Array = NDArray[np.float32]
Forward = Callable[[Array], Sequence[Any]]


class Network:
    """A loaded network: one study in, P(scar) and its residual gates out.

    Warm for studies of the recipe's size. On a processor these go through `models.swift`, if that gives the
    network's own answer to a golden study.
    """

    def __init__(self, manifest: Manifest, folder: Path) -> None:
        """Verify, load and warm.

        Raises WeightsCorrupt, no byte of the file being interpreted before its digest, or OutOfMemory.
        """
        self._model = self._load(manifest, folder)
        recipe = manifest.preprocessing
        self._grid = (recipe.phases, recipe.slices, recipe.pixels, recipe.pixels)
        self._swift: Forward | None = None
        self._swift = self._verified_swift(manifest)

    def __call__(self, cine: Array) -> tuple[float, list[Array]]:
        """P(scar) and the gates (phase, slice, row, column) of `cine` (phase, slice, row, column).

        Raises InferenceFailed if the network stumbles or answers with anything but finite numbers,
        OutOfMemory if that is why.
        """
        swift = self._swift if cine.shape == self._grid else None
        return self._asked(swift or self._plain, cine)

    def unhurried(self, cine: Array) -> tuple[float, list[Array]]:
        """As a call, by the Keras network itself, with whatever weights it has now."""
        return self._asked(self._plain, cine)

    @staticmethod
    def _asked(forward: Forward, cine: Array) -> tuple[float, list[Array]]:
        with in_our_words():
            outputs = forward(cine)
        if not all(np.isfinite(one).all() for one in outputs):
            raise InferenceFailed("the network answered with numbers that are not finite")
        return float(outputs[0].item()), list(outputs[1:])

    @property
    def model(self) -> Any:
        """The Keras network, its outputs [P(scar), then the residual gates (batch, ..., 1)]."""
        return self._model

    def _plain(self, cine: Array) -> list[Array]:
        """The Keras network's own answers."""
        import keras

        answers = self._model.predict_on_batch(cine[None, ..., None])
        several = answers if isinstance(answers, list) else [answers]
        probability, *gates = (keras.ops.convert_to_numpy(one) for one in several)
        return [probability, *(gate[0, ..., 0] for gate in gates)]

    def _verified_swift(self, manifest: Manifest) -> Forward | None:
        """The swift form of the network, warm, if there is one and it gives the same answer."""
        if "tensorflow" not in sys.modules or computes_on_gpu():
            return None
        from models.swift import ARCHITECTURE, Unsuited, swift_forward

        unfit: tuple[type[Exception], ...] = (InferenceFailed, Unsuited, KeyError, *_stumbles())
        golden = np.random.default_rng(0).random(self._grid, np.float32)
        try:
            probability, gates = self(golden)  # warm from here on, whatever its form
            if manifest.architecture != ARCHITECTURE:
                logger.debug("%s has no swift form: it is computed as Keras does it", manifest.architecture)
                return None
            swift = swift_forward(self._model, manifest.attention, self._grid)
            found = swift(golden)
        except _shortages() as error:
            raise OutOfMemory("the network needs more memory than there is") from error
        except unfit as error:
            logger.warning("%s is computed as Keras does it: %s", manifest.name, error)
            return None
        wanted: list[Any] = [probability, *gates]
        away = max(float(np.abs(one - other).max()) for one, other in zip(found, wanted, strict=True))
        if not away <= TOLERANCE:
            logger.warning("%s is computed as Keras does it: the swift form is %g away", manifest.name, away)
            return None
        return swift

    @staticmethod
    def _load(manifest: Manifest, folder: Path) -> Any:
        network = keras_network(manifest, folder)
        from models.gates import with_gates

        with _corrupt_if_unfit(manifest, folder):
            model = with_gates(network, manifest.attention)
            _check_shapes(network, manifest)
        if "tensorflow" in sys.modules:
            model.jit_compile = False  # XLA is four times slower on a CPU
        return model


def keras_network(manifest: Manifest, folder: Path) -> Any:
    """The Keras network of the bundle in `folder`, with sound numbers.

    Raises WeightsCorrupt; no byte of the file is interpreted before its digest fits.
    """
    path = folder / WEIGHTS_NAME
    check_weights(manifest, path)
    keras, _ = load_keras(manifest.architecture)
    with _corrupt_if_unfit(manifest, folder):
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_WEIGHTS_BYTES:
                raise WeightsCorrupt(f"{path} unpacks to more than {MAX_WEIGHTS_BYTES} bytes")
        network = keras.saving.load_model(path, safe_mode=True, compile=False)
        check_numbers(network.get_weights())
    return network


@contextmanager
def _corrupt_if_unfit(manifest: Manifest, folder: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        what = f"{folder / WEIGHTS_NAME} holds no {manifest.architecture} network"
        raise WeightsCorrupt(f"{what}: {error}") from error


def _check_shapes(network: Any, manifest: Manifest) -> None:
    """Raises ValueError for a network that takes other studies than its recipe's, or answers with more."""
    recipe = manifest.preprocessing
    grid = (recipe.phases, recipe.slices, recipe.pixels, recipe.pixels, 1)
    taken, answered = network.input_shape, network.output_shape
    if len(taken) != 6 or any(one not in (None, wanted) for one, wanted in zip(taken[1:], grid, strict=True)):
        raise ValueError(f"it takes {taken[1:]}, and its recipe prepares {grid}")
    if tuple(answered[1:]) != (1,):
        raise ValueError(f"it answers with {answered[1:]} numbers instead of one")


@contextmanager
def in_our_words() -> Iterator[None]:
    """What the backend raises, as InferenceFailed or OutOfMemory."""
    try:
        yield
    except _shortages() as error:
        raise OutOfMemory("the network needs more memory than there is") from error
    except _stumbles() as error:
        raise InferenceFailed(f"the network failed with {type(error).__name__}") from error


def _stumbles() -> tuple[type[Exception], ...]:
    """What the loaded backend raises when it cannot compute."""
    usual = (ValueError, RuntimeError)
    tensorflow = sys.modules.get("tensorflow")
    return (*usual, tensorflow.errors.OpError) if tensorflow else usual


def _shortages() -> tuple[type[Exception], ...]:
    """What the loaded backend raises when memory does not suffice."""
    tensorflow = sys.modules.get("tensorflow")
    return (MemoryError, tensorflow.errors.ResourceExhaustedError) if tensorflow else (MemoryError,)


def load_keras(architecture: str) -> tuple[Any, Any]:
    """Keras and the architecture's module, its layers registered; TensorFlow's start-up chatter off."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    return importlib.import_module("keras"), importlib.import_module(ARCHITECTURES[architecture])
