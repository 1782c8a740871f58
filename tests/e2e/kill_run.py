"""As many rounds of kill -9 as you like: `make rounds ROUNDS=1000 SEED=1 LANES=2`.

They are played in batches of 50, each on a fresh node with a seed of its own, one more than the last; so a run that
was stopped goes on with the seed after the last one printed.
"""

import argparse
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from tests.e2e.kill_batch import Outcome, play_batch, unfinished_batch
from tests.e2e.kill_rounds import VICTIMS

BATCH = 50
_LAST_WORDS = 4000


def play_batches(seeds: Sequence[int], count: int, lanes: int, folder: Path) -> Iterator[Outcome]:
    """Play a batch of `count` rounds per seed, `lanes` at the same time; each as it ends."""
    # spawned: a fork would take threads' locks along
    with ProcessPoolExecutor(lanes, mp_context=get_context("spawn")) as pool:
        played = [pool.submit(_play, seed, count, folder) for seed in seeds]
        for one in as_completed(played):
            yield one.result()


def _play(seed: int, count: int, folder: Path) -> Outcome:
    with tempfile.TemporaryDirectory(prefix=f"seed{seed}-", dir=folder) as place:
        try:
            return play_batch(seed, count, Path(place))
        except AssertionError as error:  # a fault like the others, and no reason to forget the other batches
            return unfinished_batch(seed, str(error)[-_LAST_WORDS:])


def line(outcomes: Sequence[Outcome]) -> str:
    """What these batches came to, on one line."""
    killed: Counter[str] = sum((one.killed for one in outcomes), Counter())
    rounds = sum(one.rounds for one in outcomes)
    return (
        f"{rounds} rounds, killed "
        + ", ".join(f"{victim} {killed[victim]}" for victim in VICTIMS)
        + f"; {sum(one.images for one in outcomes)} images acknowledged, "
        f"{sum(len(one.lost) for one in outcomes)} lost; "
        f"{rounds} studies, {sum(len(one.astray) for one in outcomes)} without their one report; "
        f"{sum(one.starts for one in outcomes)} starts; {sum(len(one.faults) for one in outcomes)} faults; "
        f"{sum(one.seconds for one in outcomes) / max(1, rounds):.1f} s a round"
    )


def _say(*sentences: str) -> None:
    sys.stdout.write("\n  ".join(sentences) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Play, one line per batch as it ends; the exit status is 1 if anything was not as promised."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.kill_run", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=1000, help=f"how many; whole batches of {BATCH} are played"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the first batch")
    parser.add_argument("--lanes", type=int, default=2, help="batches at the same time")
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + math.ceil(given.rounds / BATCH))
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="kill-rounds-") as folder:
        for outcome in play_batches(seeds, BATCH, given.lanes, Path(folder)):
            outcomes.append(outcome)
            _say(f"seed {outcome.seed}: {line([outcome])}", *outcome.faults)
    _say(f"in all: {line(outcomes)}")
    return int(any(one.faults for one in outcomes))


if __name__ == "__main__":
    sys.exit(main())
