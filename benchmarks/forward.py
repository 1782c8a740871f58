"""The network's forward pass, one study, warm, on this machine's processor cores.

Ours as the worker calls it, against Keras' own `predict_on_batch` and against OpenVINO and ONNX Runtime on
the network as Keras exports it, each with all cores. An engine that is not installed (`pip install
.[bench]`) is left out, and the page says so.
"""

import os
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bars import Bar
from benchmarks.timing import timed
from benchmarks.tree import Brake
from models.manifest import SHIPPED, read_manifest
from models.network import Network

BRAKE = Brake("models/network.py", "__call__", 0.3)
_RUNS = 11
_TOLERANCE = 1e-4
_OURS, _PLAIN = "ours", "Keras' predict_on_batch"

Array = NDArray[np.float32]
Way = Callable[[], Any]


def measure() -> list[Bar]:
    """Ours against plain Keras, and against the faster of the other engines."""
    network = Network(read_manifest(), SHIPPED)
    cine = np.random.default_rng(1).random((20, 10, 64, 64), np.float32)
    ways: dict[str, Way] = {_OURS: lambda: network(cine), _PLAIN: lambda: network._plain(cine)}
    absent = []
    with tempfile.TemporaryDirectory() as folder:
        for name, engine in {"OpenVINO": _openvino, "ONNX Runtime": _onnxruntime}.items():
            try:
                ways[name] = engine(network._model, cine[None, ..., None], Path(folder))
            except ImportError as error:
                absent.append(f"{name} is not installed ({error.name})")
    expected = network._plain(cine)[0].item()
    for name in ways.keys() - {_OURS, _PLAIN}:
        if abs(float(np.ravel(ways[name]())[0]) - expected) > _TOLERANCE:
            raise ValueError(f"{name} gives another answer")
    return _bars(timed(ways, _RUNS), "; ".join([f"{os.cpu_count()} cores, batch 1", *absent]))


def _bars(taken: dict[str, tuple[float, ...]], note: str) -> list[Bar]:
    what, ours = "ST-RAN forward", taken.pop(_OURS)
    bars = [Bar(what, _PLAIN, "s", ours, taken.pop(_PLAIN), 1 / 1.3, "lower", note)]
    if taken:
        faster = min(taken, key=lambda name: statistics.median(taken[name]))
        bars.append(Bar(what, f"the faster engine, {faster}", "s", ours, taken[faster], 1.0, "lower", note))
    return bars


def _openvino(model: Any, cine: Array, folder: Path) -> Way:
    import openvino

    core = openvino.Core()
    compiled = core.compile_model(
        openvino.convert_model(str(_exported(model, cine, folder))),
        "CPU",
        {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"},
    )
    request = compiled.create_infer_request()
    return lambda: request.infer({0: cine})[0]


def _onnxruntime(model: Any, cine: Array, folder: Path) -> Way:
    import onnxruntime
    import tensorflow as tf
    import tf2onnx

    path = folder / "network.onnx"
    signature = [tf.TensorSpec(cine.shape, tf.float32, name="cine")]
    forward = tf.function(lambda cine: model(cine, training=False))
    tf2onnx.convert.from_function(forward, input_signature=signature, opset=17, output_path=str(path))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count() or 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {session.get_inputs()[0].name: cine})[0]


def _exported(model: Any, cine: Array, folder: Path) -> Path:
    import tensorflow as tf

    into = folder / "saved"
    signature = [tf.TensorSpec(cine.shape, tf.float32, name="cine")]
    model.export(str(into), format="tf_saved_model", input_signature=signature, verbose=False)
    return into
