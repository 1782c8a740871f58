"""kill -9 in the midst of a study, again and again, and what is left of what was acknowledged."""

import random
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.side_by_side.sending import IMAGES, send, write_study
from tests.side_by_side.sides import Side, running


@dataclass(frozen=True, slots=True)
class Killed:
    """What `rounds` came to: `missing` and `damaged` are images that had been acknowledged."""

    rounds: int
    hit: int
    acknowledged: int
    missing: int
    damaged: int
    strays: int


def kill_rounds(side: Side, folder: Path, rounds: int, seed: int) -> Killed:
    """In each round a study is sent, and the receiver killed at a moment of it that `seed` chooses.

    What is unsent then stays so. The receiver is started again for the next round; after the last one, everything
    that was ever acknowledged is looked for.
    """
    rng = random.Random(seed)
    sent: dict[str, str] = {}
    acknowledged: dict[str, str] = {}
    hit = 0
    for number in range(rounds):
        study = write_study(folder / f"study{number}", number)
        sent |= dict(study.values())
        assassin = Assassin(side, rng)
        with running(side):
            answers = send(side, list(study), assassin.hear)
            assassin.join()
        stored = [study[answer.path] for answer in answers if answer.stored]
        acknowledged |= dict(stored)
        hit += len(stored) < IMAGES
    with running(side):
        held = side.held()
        strays = side.strays(sent)
    missing = [uid for uid in acknowledged if uid not in held]
    damaged = [uid for uid, digest in acknowledged.items() if held.get(uid, digest) != digest]
    return Killed(rounds, hit, len(acknowledged), len(missing), len(damaged), strays)


class Assassin:
    """Some time after one of the answers, and before the next but one as a rule, it kills."""

    def __init__(self, side: Side, rng: random.Random) -> None:
        self._after = rng.randrange(1, IMAGES * 2 // 3)
        self._share = rng.uniform(0.0, 2.0)
        self._answers = 0
        self._began = time.monotonic()
        self._shot = threading.Timer(0.0, side.kill)

    def hear(self) -> None:
        """One more Success."""
        self._answers += 1
        if self._answers == self._after:
            usual_s = (time.monotonic() - self._began) / self._answers
            self._shot.interval = usual_s * self._share
            self._shot.start()

    def join(self) -> None:
        """Return when it has killed, if it ever got so far."""
        if self._shot.ident is not None:
            self._shot.join()
