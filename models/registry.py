"""The networks a bundle may name, and where each is built. Importing this loads no framework."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final


def _found() -> dict[str, str]:
    """A file in the zoo is a network: `cnn_lstm.py` is the architecture cnn-lstm."""
    files = sorted((Path(__file__).parent / "zoo").glob("[a-z]*.py"))
    return {file.stem.replace("_", "-"): f"models.zoo.{file.stem}" for file in files}


ARCHITECTURES: Final[Mapping[str, str]] = MappingProxyType(_found())
"""Architecture to the module that builds it and registers its layers."""
