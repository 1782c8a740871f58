"""OHIF's own reader of structured reports, as published on npm, outside any browser."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import Dataset

from tests.peers.ohif_packages import DCMJS, HANDLER
from tests.peers.presence import missing, program

_SCRIPT = Path(__file__).with_name("ohif_handler.cjs")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the handler made of a report.

    `failure` is the exception it ended with, if any; `measurements` the labels of each group it would draw,
    `coordinates` how many it has for each, `warnings` what it complained of meanwhile.
    """

    failure: str
    is_loaded: bool
    referenced_images: int
    measurements: list[list[str]]
    coordinates: list[int]
    warnings: list[str]


def load_in_ohif(report: Dataset) -> Loaded:
    """Load a report as the viewer would when a reader opens it, DICOM JSON in between as from a PACS."""
    for package in (HANDLER, DCMJS):
        if not package.folder.exists():
            missing(f"{package.name} is not here: run `make peers`")
    done = subprocess.run(
        [program("node"), str(_SCRIPT), str(HANDLER.folder), str(DCMJS.folder)],
        input=report.to_json(suppress_invalid_tags=False),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return Loaded(**found)
