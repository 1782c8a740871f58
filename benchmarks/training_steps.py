"""`python -m benchmarks.training_steps ARCH STEPS BATCH`: on noise; prints seconds per step and peak MB."""

import json
import resource
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

from models.examples import Examples
from models.training.course import News, Step
from models.training.plan import TrainingPlan
from models.training.run import train
from models.training.splits import Split
from pipeline.preprocessing import Preprocessing

_KB_PER_MB = 1000


def main(architecture: str, steps: int, batch: int) -> None:
    """One epoch. The first step, which builds the graph, does not count."""
    at: list[float] = []
    peaks: list[int] = []

    def say(event: News) -> None:
        if isinstance(event, Step):
            at.append(time.perf_counter())
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

    examples = _noise((steps + 1) * batch + 2)
    held = np.arange(len(examples))
    split = Split(held[:-2], held[-2:], held[:0])
    plan = TrainingPlan(architecture, epochs=1, batch=batch, golden="none")
    with tempfile.TemporaryDirectory() as folder:
        train(plan, examples, split, Path(folder, "run"), say)
    seconds = [later - earlier for earlier, later in pairwise(at)]
    sys.stdout.write(json.dumps([seconds, peaks[-1] / _KB_PER_MB]) + "\n")


def _noise(count: int) -> Examples:
    recipe = Preprocessing()
    shape = (count, recipe.phases, recipe.slices, recipe.pixels, recipe.pixels)
    return Examples(
        cine=np.random.default_rng(1).random(shape, np.float32).astype(np.float16),
        label=np.arange(count) % 2 == 1,
        label_name="Scar",
        patients=tuple(map(str, range(count))),
        studies=tuple(map(str, range(count))),
        recipe=recipe,
        simulated=True,
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
