"""What the framework can compute on. Loads it, and only when asked."""

import os
import sys


def visible_gpus() -> tuple[str, ...]:
    """The GPUs that Keras' backend sees, by name; empty on a machine that computes on its CPU."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    # asked for GPUs by name, JAX fails where there are none
    return tuple(name for name in keras.distribution.list_devices() if not name.startswith("cpu"))


def computes_on_gpu() -> bool:
    """Whether the framework, if this process has loaded it at all, sees a GPU."""
    return "keras" in sys.modules and bool(visible_gpus())


def hide_gpus() -> None:
    """Have a framework that is not loaded yet compute on the CPU."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
