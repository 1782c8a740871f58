"""A saved network computed with NumPy alone, phase by phase: slower, in a fraction of the memory.

It reads what Keras saved (`config.json`, the graph; `model.weights.h5`, the numbers) and knows the layers of
our architectures. The framework alone takes more memory than this takes for everything.
"""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from models.errors import InferenceFailed, OutOfMemory, WeightsCorrupt
from models.manifest import WEIGHTS_NAME, Manifest
from models.numpy_layers import LAYERS
from models.weights_file import MAX_WEIGHTS_BYTES, check_numbers, check_weights

Array = NDArray[np.float32]
_MAX_LAYERS: Final = 1000


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """One layer: what computes it, with which settings and numbers, from the outputs of which others."""

    name: str
    kind: str
    config: Mapping[str, Any]
    weights: Sequence[Array]
    sources: tuple[str, ...]


@final
class FrugalNetwork:
    """One study in, P(scar) and its residual gates out, as `Network`."""

    def __init__(self, manifest: Manifest, folder: Path) -> None:
        """Verify and read. Raises WeightsCorrupt; no byte of the file is interpreted before its digest."""
        path = folder / WEIGHTS_NAME
        check_weights(manifest, path)
        try:
            self._steps = _read(path)
            check_numbers(array for step in self._steps for array in step.weights)
        except (ValueError, TypeError, KeyError, IndexError, OSError, zipfile.BadZipFile) as error:
            raise WeightsCorrupt(f"{path} holds no {manifest.architecture} network: {error}") from error
        self._gates = tuple(f"{block}_attention" for block in manifest.attention)

    def __call__(self, cine: Array) -> tuple[float, list[Array]]:
        """P(scar) and the gates (phase, slice, row, column) of `cine` (phase, slice, row, column).

        Raises InferenceFailed for anything but finite numbers, OutOfMemory if even this needs too much.
        """
        try:
            found = self._run(cine[..., None].astype(np.float32))
        except MemoryError as error:
            raise OutOfMemory("memory does not even suffice to compute the network phase by phase") from error
        except (ValueError, IndexError) as error:
            raise InferenceFailed(f"the network failed with {type(error).__name__}") from error
        if not all(np.isfinite(one).all() for one in found.values()):
            raise InferenceFailed("the network answered with numbers that are not finite")
        return float(found[self._steps[-1].name].item()), [found[name][..., 0] for name in self._gates]

    def _run(self, cine: Array) -> dict[str, Array]:
        """The outputs that are asked for; every other array goes as soon as nobody needs it."""
        waiting = Counter(source for step in self._steps for source in step.sources)
        waiting.update([*self._gates, self._steps[-1].name])
        held = {self._steps[0].name: cine}
        for step in self._steps[1:]:
            inputs = [held[source] for source in step.sources]
            held[step.name] = LAYERS[step.kind](step.config, step.weights, *inputs)
            del inputs
            for source in step.sources:
                waiting[source] -= 1
                if not waiting[source]:
                    del held[source]
        return held


def _read(path: Path) -> list[_Step]:
    """The layers of a saved network, each after those it needs."""
    import h5py

    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_WEIGHTS_BYTES:
            raise WeightsCorrupt(f"{path} unpacks to more than {MAX_WEIGHTS_BYTES} bytes")
        layers = json.loads(archive.read("config.json"))["config"]["layers"]
        if len(layers) > _MAX_LAYERS:
            raise ValueError(f"{len(layers)} layers")
        with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as numbers:
            return [
                _Step(
                    name=layer["name"],
                    kind=layer["class_name"],
                    config=layer["config"],
                    weights=_weights(numbers["layers"], where),
                    sources=tuple(_sources(layer["inbound_nodes"])),
                )
                for layer, where in zip(layers, _folders(layers), strict=True)
            ]


def _weights(numbers: Any, where: str) -> list[Array]:
    held = numbers[where]["vars"] if where in numbers and "vars" in numbers[where] else {}
    return [np.asarray(held[str(index)], np.float32) for index in range(len(held))]


def _folders(layers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Where Keras puts each layer's numbers: its class in snake case, counted from the second on."""
    seen: Counter[str] = Counter()
    for layer in layers:
        kind = _snake(layer["class_name"])
        yield f"{kind}_{seen[kind]}" if seen[kind] else kind
        seen[kind] += 1


def _snake(name: str) -> str:
    """`SpatialConv` to `spatial_conv`, `ReLU` to `re_lu`, as Keras does it."""
    starts = [
        index
        for index, letter in enumerate(name)
        if index and letter.isupper() and (name[index - 1].islower() or name[index + 1 : index + 2].islower())
    ]
    return "_".join(name[first:last] for first, last in pairwise([0, *starts, len(name)])).lower()


def _sources(nodes: Any) -> Iterator[str]:
    """The layers whose outputs a layer takes, in order."""
    if isinstance(nodes, Mapping):
        if nodes.get("class_name") == "__keras_tensor__":
            yield nodes["config"]["keras_history"][0]
            return
        nodes = nodes.get("args", ())
    if isinstance(nodes, list | tuple):
        for node in nodes:
            yield from _sources(node)
