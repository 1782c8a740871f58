"""A model of one gate and one neuron, for tests in which the network's answer does not matter.

Written by hand in the form Keras saves, and read without it (`model.frugal`): no framework is loaded.
"""

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from models.explanation.method import Method
from models.explanation.verdict import Verdict
from models.frugal import FrugalNetwork
from models.golden import Golden, write_golden
from models.manifest import MANIFEST_NAME, WEIGHTS_NAME, Manifest
from pipeline.contract import InputContract
from pipeline.preprocessing import Preprocessing

_LAYERS: tuple[tuple[str, str, tuple[str, ...], dict[str, Any]], ...] = (
    ("cine", "InputLayer", (), {}),
    ("space", "SpatialConv", ("cine",), {}),
    ("light_attention", "AttentionGate", ("space",), {"mode": "sigmoid"}),
    ("gated", "Multiply", ("space", "light_attention"), {}),
    ("summary", "GlobalSummary", ("gated",), {"pooling": "mean"}),
    ("scar", "Dense", ("summary",), {"activation": "sigmoid"}),
)
_SHAPES: dict[str, tuple[tuple[int, ...], ...]] = {
    "spatial_conv": ((3, 3, 3, 1, 2), (2,)),
    "attention_gate": ((2, 2), (2,), (2, 1), (1,)),
    "dense": ((2, 1), (1,)),
}


def light_bundle(folder: Path, *, seed: int = 0, golden: int = 0, scale: float = 0.5, **changes: Any) -> Path:
    """Write the bundle into a new folder; returns it. It takes studies of 2 slices and 4 phases or more.

    `seed` and `scale` (NaN, if wanted) make other weights, `golden` so many golden studies, `changes` another manifest.
    """
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / WEIGHTS_NAME, "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {"layers": [_layer(*one) for one in _LAYERS]}}))
        archive.writestr("model.weights.h5", _numbers(seed, scale))
    manifest = Manifest(
        name="LIGHT",
        version="1",
        architecture="stran",
        weights_sha256=hashlib.sha256((folder / WEIGHTS_NAME).read_bytes()).hexdigest(),
        preprocessing=Preprocessing(spacing_mm=4.0, pixels=16, phases=4, slices=2, min_slices=2),
        contract=InputContract(min_phases=4, min_slices=2),
        threshold=0.5,
        threshold_rule="none",
        label="Scar",
        trained_on="Nothing: its numbers are drawn by lot.",
        demonstration=True,
        attention=("light",),
        explanations={Method.ATTENTION: Verdict(True, "taken for granted in tests", 1.0, 1.0, 0.0)},
    )
    manifest = replace(manifest, **changes)
    (folder / MANIFEST_NAME).write_text(manifest.as_json(), encoding="utf-8")
    if golden:
        network = FrugalNetwork(manifest, folder)
        cine = np.random.default_rng(1).random((golden, 4, 2, 16, 16)).astype(np.float16)
        answers = [network(one.astype(np.float32))[0] for one in cine]
        write_golden(Golden(cine, np.array(answers)), folder)
    return folder


def _layer(name: str, kind: str, sources: tuple[str, ...], config: dict[str, Any]) -> dict[str, Any]:
    tensors = [
        {"class_name": "__keras_tensor__", "config": {"keras_history": [source, 0, 0]}} for source in sources
    ]
    nodes = [{"args": tensors, "kwargs": {}}] if tensors else []
    return {"name": name, "class_name": kind, "config": config, "inbound_nodes": nodes}


def _numbers(seed: int, scale: float) -> bytes:
    rng = np.random.default_rng(seed)
    whole = io.BytesIO()
    with h5py.File(whole, "w") as file:
        for layer, shapes in _SHAPES.items():
            for index, shape in enumerate(shapes):
                file[f"layers/{layer}/vars/{index}"] = (rng.normal(0, 1, shape) * scale).astype(np.float32)
    return whole.getvalue()
