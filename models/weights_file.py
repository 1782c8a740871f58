"""The weights file before anybody interprets it: bounded, and the one its manifest names."""

import hashlib
from pathlib import Path
from typing import Final

from models.errors import WeightsCorrupt
from models.manifest import Manifest
from models.registry import ARCHITECTURES

MAX_WEIGHTS_BYTES: Final = 256 * 1024 * 1024  # the largest network of the zoo has 46 million parameters
LFS_POINTER: Final = b"version https://git-lfs"


def check_weights(manifest: Manifest, path: Path) -> None:
    """Compare the file at `path` with what the manifest promises, without interpreting it.

    Raises WeightsCorrupt, with what is wrong and what to do.
    """
    if manifest.architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise WeightsCorrupt(f"no network is called {manifest.architecture!r} here; known: {known}")
    data = _bounded(path)
    if data.startswith(LFS_POINTER):
        raise WeightsCorrupt(f"{path} is a Git LFS pointer, not the weights: run `git lfs pull`")
    found = hashlib.sha256(data).hexdigest()
    if found != manifest.weights_sha256:
        raise WeightsCorrupt(
            f"{path} is not the file its manifest names: digest {found[:12]}, "
            f"not {manifest.weights_sha256[:12]}; fetch the bundle again"
        )


def _bounded(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_WEIGHTS_BYTES:
            raise WeightsCorrupt(f"{path} is over {MAX_WEIGHTS_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise WeightsCorrupt(f"{path} cannot be read: fetch the bundle again") from error
