"""The shipped bundle, and copies of it with other words in the manifest."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from models import ModelAdapter, load_bundle

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def shipped() -> Path:
    return ROOT / "models" / "weights" / "demo"


@pytest.fixture
def edited(shipped: Path, tmp_path: Path) -> Callable[..., Path]:
    """`edited(name="x")`: the shipped bundle with other words in its manifest."""

    def bundle(**changes: object) -> Path:
        given = json.loads((shipped / "manifest.json").read_text())
        (tmp_path / "manifest.json").write_text(json.dumps(given | changes))
        (tmp_path / "weights.keras").write_bytes((shipped / "weights.keras").read_bytes())
        return tmp_path

    return bundle


@pytest.fixture(scope="session")
def demonstration() -> ModelAdapter:
    """The shipped model, loaded once."""
    return load_bundle()
