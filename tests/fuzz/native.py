"""`python -m tests.fuzz.native --inputs N --seed S`: the way in C does what the way in Python would do.

Input number i of seed S is always the same one; `--only i` plays it alone, with its traceback. `--module` plays
to another build of the module than the installed one.
"""

import argparse
import random
import sys
import time
import traceback
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from tests.fuzz.native_play import Player, archive_folder
from tests.fuzz.native_streams import native_stream
from tests.fuzz.pdus import Hung, watched

NAME = "dicom_node.receiver._native"
_REPORT_EVERY = 10_000


@dataclass
class Campaign:
    """What has been played, and how it ended."""

    seed: int
    player: Player
    ends: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[int, str]] = field(default_factory=list)

    def play(self, number: int) -> None:
        """Play one input; a failure is kept with its traceback."""
        try:
            with watched():
                self.ends[self.end_of(number)] += 1
        except (Exception, Hung):  # noqa: BLE001 - whatever it is, it is what we look for
            self.failed.append((number, traceback.format_exc()))

    def end_of(self, number: int) -> str:
        """How one input ends; raises where the ways part."""
        rng = random.Random(f"{self.seed}/{number}")
        return self.player.play(native_stream(rng), rng)


def built(file: Path | None = None) -> Any:
    """The module, or another build of it.

    Raises:
        ImportError: it is not built.
    """
    if file is None:
        return import_module(NAME)
    spec = spec_from_file_location(NAME, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> int:
    """Play so many inputs; 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.native", description=__doc__)
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="play this input alone")
    parser.add_argument("--module", type=Path, help="the file of another build")
    given = parser.parse_args()
    with archive_folder() as folder, closing(Player(built(given.module), folder)) as player:
        campaign = Campaign(given.seed, player)
        if given.only is not None:
            sys.stdout.write(campaign.end_of(given.only) + "\n")
            return 0
        _run(campaign, given.inputs)
    for end, count in campaign.ends.most_common():
        sys.stdout.write(f"{count:>9,} {100 * count / given.inputs:5.1f} % {end}\n")
    for number, story in campaign.failed[:5]:
        sys.stdout.write(f"\ninput {number} (again: --seed {given.seed} --only {number})\n{story}")
    return 1 if campaign.failed else 0


def _run(campaign: Campaign, inputs: int) -> None:
    started = time.monotonic()
    for number in range(inputs):
        campaign.play(number)
        if (number + 1) % _REPORT_EVERY == 0 or number + 1 == inputs:
            speed = (number + 1) / (time.monotonic() - started)
            sys.stdout.write(
                f"{number + 1:>9,} of {inputs:,} inputs, seed {campaign.seed}, {speed:,.0f}/s, "
                f"{len(campaign.failed)} failed\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
