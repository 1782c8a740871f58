"""How a worker process is started: what it is to load, and what it is confined to."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from dicom_node.config_sections import LogSettings, ModelSettings


@dataclass(frozen=True, slots=True)
class Places:
    """What a worker needs of the file system.

    Attributes:
        images: the archive, which it reads.
        results: where it writes.
        scratch: for what libraries write by themselves; emptied before each start.
        private: the folder around these, of which it sees nothing else: the database lies there.
    """

    images: Path
    results: Path
    scratch: Path
    private: Path


def worker_command(model: ModelSettings, log: LogSettings, places: Places | None) -> list[str]:
    """The command line, without the rung."""
    own = ["--log-level", log.level, "--log-format", log.format]
    own += ["--bundle", str(model.bundle)] if model.bundle else []
    own += ["--threshold", str(model.threshold)] if model.threshold is not None else []
    python = [sys.executable, "-P", "-m"]
    if places is None or not model.confined:
        return [*python, "dicom_node.analysis.worker", *own]
    return [*python, "dicom_node.analysis.confined", *_confinement(model, places), "--", *own]


def _confinement(model: ModelSettings, places: Places) -> list[str]:
    reads = [places.images, *([model.bundle] if model.bundle else [])]
    arguments = [f"--read={path.resolve()}" for path in reads]
    arguments += [f"--write={path.resolve()}" for path in (places.results, places.scratch)]
    arguments += [f"--private={places.private.resolve()}", f"--scratch={places.scratch.resolve()}"]
    return arguments + ([f"--memory-mb={model.memory_mb}"] if model.memory_mb else [])


def make_ready(places: Places) -> None:
    """Have the folders there, the scratch one empty: a right can only be given to what exists."""
    shutil.rmtree(places.scratch, ignore_errors=True)
    for folder in (places.images, places.results, places.scratch):
        folder.mkdir(parents=True, exist_ok=True)
