"""TensorFlow's SavedModel: its numbers are taken, its graph is never loaded.

A SavedModel is a graph of TensorFlow operations, among them such as read and write files, and to ask it is to
execute it. Beside the graph lies a table of arrays by name. These are put into the network of ours that the
contract names, array by array, and what comes out is a `.keras` file like any other.
"""

import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.errors import WeightsCorrupt
from models.network import load_keras
from models.weights_file import MAX_WEIGHTS_BYTES
from pipeline.preprocessing import Preprocessing

_GRAPH: Final = "saved_model.pb"
_TABLE: Final = "variables"
_INDEX: Final = "_CHECKPOINTABLE_OBJECT_GRAPH"
_LONGEST_NAME: Final = 80
_SAVES: Final = "save_counter"
_OPTIMIZER: Final = "optimizer"
_OF_THE_NETWORK: Final = "_trainable_variables"
"""Where an optimizer lists what it optimizes: that lies beneath it, and is none of its own."""


def is_saved_model(path: Path) -> bool:
    """Whether a folder, or what is packed in a zip, is a SavedModel."""
    return any(name.rpartition("/")[2] == _GRAPH for name in _names(path))


def require_readable(path: Path) -> None:
    """Raises WeightsCorrupt, with what to do, if a SavedModel's numbers cannot be taken from there."""
    if not path.is_dir():
        raise WeightsCorrupt(f"{path} is a packed SavedModel: unpack it first")
    files = [one for one in (path / _TABLE).glob("*") if one.is_file()]
    if not files:
        raise WeightsCorrupt(f"{path} is a SavedModel without variables: the network's weights are not in it")
    if sum(one.stat().st_size for one in files) > MAX_WEIGHTS_BYTES:
        raise WeightsCorrupt(f"{path} holds more than {MAX_WEIGHTS_BYTES} bytes of variables")


def weights_from_saved_model(folder: Path, architecture: str, recipe: Preprocessing, into: Path) -> None:
    """Write the `.keras` file `into` of the network whose numbers lie in the SavedModel `folder`.

    For what `model.export(FOLDER)` of Keras 3 or `tf.saved_model.save(model, FOLDER)` wrote. Loads Keras and
    TensorFlow. Strangers' files are parsed: to be called in a confined process.

    Raises WeightsCorrupt: the numbers are not those of this network on this grid.
    """
    _, module = load_keras(architecture)
    import tensorflow

    try:
        reader = tensorflow.train.load_checkpoint(str(folder / _TABLE / _TABLE))
        network = module.build(shape=(recipe.phases, recipe.slices, recipe.pixels, recipe.pixels, 1))
        _fill(network, reader, _keys(reader.get_tensor(_INDEX)))
    except (ValueError, KeyError, tensorflow.errors.OpError) as error:
        raise WeightsCorrupt(f"{folder} does not hold the weights of {architecture}: {error}") from error
    network.save(into)


def _keys(index: bytes) -> dict[str, list[str]]:
    """Where in the table each variable's numbers are, by its full name; Keras writes two copies.

    What training left beside a network is not among them. Raises ValueError.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    try:
        nodes = TrackableObjectGraph.FromString(index).nodes
    except DecodeError as error:
        raise ValueError(f"its index cannot be read: {error}") from error
    keys: dict[str, list[str]] = defaultdict(list)
    for one in (attribute for node in nodes for attribute in node.attributes):
        if not _left_by_training(one.checkpoint_key):
            keys[one.full_name or one.checkpoint_key].append(one.checkpoint_key)
    return keys


def _left_by_training(key: str) -> bool:
    """Whether an array counts the saves, or is an optimizer's own: no answer depends on it."""
    place = key.partition("/.ATTRIBUTES/")[0].split("/")
    return place == [_SAVES] or (_OPTIMIZER in place and _OF_THE_NETWORK not in place)


def _fill(network: Any, reader: Any, keys: Mapping[str, Sequence[str]]) -> None:
    """Give every variable its numbers. Raises ValueError unless names and shapes are the network's."""
    wanted = {variable.path: variable for variable in network.variables}
    if missing := sorted(set(wanted) - set(keys)):
        raise ValueError(f"no {missing[0][:_LONGEST_NAME]} is in it")
    if beyond := sorted(set(keys) - set(wanted)):
        raise ValueError(
            f"{beyond[0][:_LONGEST_NAME]} is in it and not in that network, one of {len(beyond)}: what "
            "answers there is more than this network"
        )
    for path, variable in wanted.items():
        numbers, *copies = (reader.get_tensor(key) for key in keys[path])
        if tuple(np.shape(numbers)) != tuple(variable.shape):
            raise ValueError(f"{path} is {np.shape(numbers)} and not {tuple(variable.shape)}")
        if any(not np.array_equal(numbers, copy) for copy in copies):
            raise ValueError(f"{path} is in it several times, with other numbers")
        variable.assign(numbers)


def _names(path: Path) -> list[str]:
    """The files in a folder, or in a zip; none in anything else."""
    if path.is_dir():
        return [one.name for one in path.iterdir()]
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return []
