"""What the tests of this folder share: a fresh interpreter, and a volume with something in it."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from pipeline import CineVolume, Geometry, PlaneSource

ROOT = Path(__file__).parents[2]


def in_fresh_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in an interpreter that has loaded nothing yet."""
    path = "/usr/bin:/bin"
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=False,
        env={"PATH": path, "TF_CPP_MIN_LOG_LEVEL": "2", "HOME": "/nonexistent", **environment},
    )


def cine(phases: int = 20, slices: int = 10, size: int = 72, *, seed: int = 0) -> CineVolume:
    """A noisy disc that beats, 2 mm pixels: no heart, but a volume with something in it."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:size, :size] - (size - 1) / 2
    radius = 14 - 4 * np.sin(np.pi * np.arange(phases) / phases)[:, None, None]
    disc = 300.0 / (1 + np.exp(np.hypot(row, column) - radius))
    voxels = np.repeat(disc[:, None], slices, axis=1) + rng.normal(50, 5, (phases, slices, size, size))
    source = PlaneSource("1.2.840.10008.5.1.4.1.1.4", "1.2.3", "1.2.4")
    return CineVolume(
        voxels=voxels.astype(np.float32),
        geometry=Geometry(
            tuple((0.0, 0.0, 8.0 * index) for index in range(slices)),
            (8.0, 2.0, 2.0),
            ((0, 0, 1), (0, 1, 0), (1, 0, 0)),
        ),
        trigger_ms=((*(1000.0 * phase / phases for phase in range(phases)),),) * slices,
        rr_ms=(1000.0,) * slices,
        sources=((source,) * slices,) * phases,
        study_instance_uid="1.2.5",
        frame_of_reference_uid="1.2.6",
    )
