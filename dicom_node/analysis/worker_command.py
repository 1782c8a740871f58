"""How a worker process is started: what it is to load, and what it is confined to."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dicom_node.analysis.engine import ModelChoice
from dicom_node.config_sections import LogSettings, ModelSettings


@dataclass(frozen=True, slots=True)
class Places:
    """What a worker needs of the file system.

    Attributes:
        images: the archive, which it reads.
        results: where it writes.
        scratch: for what libraries write by themselves; emptied before each start.
        private: the folder around these, of which it sees nothing else: the database lies there.
        bundles: models that were imported, which it reads.
    """

    images: Path
    results: Path
    scratch: Path
    private: Path
    bundles: Path


@dataclass(frozen=True, slots=True)
class Start:
    """How a worker begins.

    Attributes:
        first: asked which model to load at once; None: none, before one is asked for.
        background: whether every other process goes first.
    """

    first: Callable[[], ModelChoice] | None = None
    background: bool = False


def worker_command(model: ModelSettings, log: LogSettings, places: Places | None) -> list[str]:
    """The command line, without the rung and the model to load at once."""
    own = ["--log-level", log.level, "--log-format", log.format]
    python = [sys.executable, "-P", "-m"]
    if places is None or not model.confined:
        return [*python, "dicom_node.analysis.worker", *own]
    return [*python, "dicom_node.analysis.confined", *_confinement(model, places), "--", *own]


def load_at_once(choice: ModelChoice | None) -> list[str]:
    """The part of the command line that says which model to load as soon as the process starts."""
    if choice is None:
        return ["--cold"]
    arguments = ["--bundle", str(choice.bundle)] if choice.bundle else []
    arguments += ["--threshold", str(choice.threshold)] if choice.threshold is not None else []
    return [*arguments, "--explain", choice.explain]


def _confinement(model: ModelSettings, places: Places) -> list[str]:
    reads = [places.images, places.bundles, *([model.bundle] if model.bundle else [])]
    arguments = [f"--read={path.resolve()}" for path in reads]
    arguments += [f"--write={path.resolve()}" for path in (places.results, places.scratch)]
    arguments += [f"--private={places.private.resolve()}", f"--scratch={places.scratch.resolve()}"]
    return arguments + ([f"--memory-mb={model.memory_mb}"] if model.memory_mb else [])


def make_ready(places: Places) -> None:
    """Have the folders there, the scratch one empty: a right can only be given to what exists."""
    shutil.rmtree(places.scratch, ignore_errors=True)
    for folder in (places.images, places.results, places.scratch, places.bundles):
        folder.mkdir(parents=True, exist_ok=True)
