"""The weights file before anybody interprets it: bounded, and the one its manifest names."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.errors import WeightsCorrupt
from models.manifest import Manifest
from models.registry import ARCHITECTURES

MAX_WEIGHTS_BYTES: Final = 256 * 1024 * 1024  # the largest network of the zoo has 46 million parameters
LFS_POINTER: Final = b"version https://git-lfs"


def check_weights(manifest: Manifest, path: Path) -> None:
    """Compare the file at `path` with what the manifest promises, without interpreting it.

    Raises WeightsCorrupt, with what is wrong and what to do.
    """
    check_weights_bytes(manifest, read_weights(path), str(path))


def check_weights_bytes(manifest: Manifest, data: bytes, where: str) -> None:
    """`check_weights` of a file that was read already; `where` is what the error's sentence calls it."""
    if manifest.architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise WeightsCorrupt(f"no network is called {manifest.architecture!r} here; known: {known}")
    if data.startswith(LFS_POINTER):
        raise WeightsCorrupt(f"{where} is a Git LFS pointer, not the weights: run `git lfs pull`")
    found = hashlib.sha256(data).hexdigest()
    if found != manifest.weights_sha256:
        raise WeightsCorrupt(
            f"{where} is not the file its manifest names: digest {found[:12]}, "
            f"not {manifest.weights_sha256[:12]}; fetch the bundle again"
        )


def check_numbers(weights: Iterable[NDArray[Any]]) -> None:
    """Raises ValueError if a weight is not a finite number: such a network would answer nonsense."""
    if not all(np.isfinite(one).all() for one in weights):
        raise ValueError("it has weights that are not finite numbers")


def read_weights(path: Path) -> bytes:
    """The bytes of a weights file, uninterpreted. Raises WeightsCorrupt."""
    try:
        if path.stat().st_size > MAX_WEIGHTS_BYTES:
            raise WeightsCorrupt(f"{path} is over {MAX_WEIGHTS_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise WeightsCorrupt(f"{path} cannot be read: fetch the bundle again") from error
