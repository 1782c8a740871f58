"""Several ways timed in turns, so that a busy moment of the machine falls on all of them."""

import gc
import time
from collections.abc import Callable, Mapping


def timed(ways: Mapping[str, Callable[[], object]], runs: int) -> dict[str, tuple[float, ...]]:
    """The seconds each way took, `runs` times in turns, after one run that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs + 1):
        for name, way in ways.items():
            gc.collect()  # what one way leaves behind is not to be swept in the time of the next
            begun = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - begun)
    return {name: tuple(taken[1:]) for name, taken in seconds.items()}
