"""One step of training on two studies of full size, 20 x 10 x 64 x 64, on this machine's processor cores.

Ours is `stran`, whose slices are an axis of their own; against it stands `stran-ref`, the network as the
public release has it, with slices as channels: the same loop, augmentation and optimizer, each network in a
process of its own. Ours computes at ten times as many places, so it cannot be as fast; the bars say what
that may cost.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.bars import Bar

STEPS: Final = 8
_BATCH: Final = 2
_OURS, _THEIRS = "stran", "stran-ref"
_SLOWER: Final = 15.0
_LARGER: Final = 3.0


def measure() -> list[Bar]:
    """Seconds per step and peak memory of ours against theirs."""
    ours, theirs = (_measured(network) for network in (_OURS, _THEIRS))
    against = f"{_THEIRS}, the public release's layout"
    note = f"{os.cpu_count()} cores, batch {_BATCH}, TensorFlow, float32"
    return [
        Bar("a training step", against, "s", ours[0], theirs[0], _SLOWER, "lower", note),
        Bar("peak memory while training", against, "MB", ours[1], theirs[1], _LARGER, "lower", note),
    ]


def _measured(architecture: str) -> tuple[tuple[float, ...], tuple[float]]:
    command = [sys.executable, "-m", "benchmarks.training_steps", architecture, str(STEPS), str(_BATCH)]
    tree = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=tree, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - ourselves
    seconds, peak_mb = json.loads(done.stdout.splitlines()[-1])
    return tuple(seconds), (float(peak_mb),)
