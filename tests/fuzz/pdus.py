"""`python -m tests.fuzz.pdus --inputs N --seed S`: our own reading of bytes under spoiled conversations.

Input number i of seed S is always the same one; `--only i` plays it alone, with its traceback.
"""

import argparse
import logging
import random
import resource
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from types import FrameType

import dicom_node.receiver.acceptor  # noqa: F401 - what it sets of pynetdicom counts here, too
from tests.fuzz.agreement import check, check_header, check_introduction
from tests.fuzz.conversations import SYNTAXES, association_request, conversations, data_set
from tests.fuzz.mutations import spoil_association, spoiled, spoiled_bytes
from tests.fuzz.streams import Pdu, parsed

HANGS_AFTER_S = 20
_REPORT_EVERY = 10_000


class Hung(BaseException):
    """An input takes too long; nothing that catches every Exception may take this for an answer."""


@dataclass
class Campaign:
    """What has been played, and how it ended."""

    seed: int
    ends: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[int, str]] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, 0)

    def __post_init__(self) -> None:
        self._request: Pdu = parsed(association_request())
        self._data_sets = [(syntax, data_set(syntax)) for syntax in SYNTAXES]

    def play(self, number: int) -> None:
        """Play one input; a failure is kept with its traceback."""
        started = time.perf_counter()
        try:
            with watched():
                self.ends[self.end_of(number)] += 1
        except (Exception, Hung):  # noqa: BLE001 - whatever it is, it is what we look for
            self.failed.append((number, traceback.format_exc()))
        self.slowest = max(self.slowest, (time.perf_counter() - started, number))

    def end_of(self, number: int) -> str:
        """How the reading of one input ends; raises where ours has failed."""
        rng = random.Random(f"{self.seed}/{number}")
        match rng.randrange(10):
            case 0:
                request = deepcopy(self._request)
                spoil_association(request, rng)
                return check_introduction(request.encoded())
            case 1 | 2:
                syntax, whole = rng.choice(self._data_sets)
                return check_header(spoiled_bytes(whole, rng), syntax)
            case _:
                return check(spoiled(conversations(), rng))


@contextmanager
def watched() -> Iterator[None]:
    """What takes longer than `HANGS_AFTER_S` is a hang."""
    former = signal.signal(signal.SIGALRM, _hangs)
    signal.setitimer(signal.ITIMER_REAL, HANGS_AFTER_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def _hangs(_number: int, _frame: FrameType | None) -> None:
    raise Hung(f"no end after {HANGS_AFTER_S} s")


def _progress(campaign: Campaign, played: int, inputs: int, seconds: float) -> None:
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(
        f"{played:>9,} of {inputs:,} inputs, seed {campaign.seed}, {played / seconds:,.0f}/s, "
        f"{len(campaign.failed)} failed, peak {memory_mb} MiB, slowest {campaign.slowest[0] * 1000:.0f} ms "
        f"(input {campaign.slowest[1]})\n"
    )
    sys.stdout.flush()


def main() -> int:
    """Play so many inputs; 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.pdus", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="play this input alone")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    campaign = Campaign(given.seed)
    if given.only is not None:
        sys.stdout.write(campaign.end_of(given.only) + "\n")
        return 0
    started = time.monotonic()
    for number in range(given.inputs):
        campaign.play(number)
        if (number + 1) % _REPORT_EVERY == 0 or number + 1 == given.inputs:
            _progress(campaign, number + 1, given.inputs, time.monotonic() - started)
    for end, count in campaign.ends.most_common():
        sys.stdout.write(f"{count:>9,} {end}\n")
    for number, story in campaign.failed[:5]:
        sys.stdout.write(f"\ninput {number} (again: --seed {given.seed} --only {number})\n{story}")
    return 1 if campaign.failed else 0


if __name__ == "__main__":
    sys.exit(main())
