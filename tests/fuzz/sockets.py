"""`python -m tests.fuzz.sockets --inputs N --seed S`: spoiled conversations with a running receiver.

Input number i of seed S says the same each time; `--only i` plays it alone. In between, good objects are stored.
"""

import argparse
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from tempfile import TemporaryDirectory

from tests.dicom_node.receiving import Receiver, Sent, receiver, send
from tests.fuzz.conversations import association_request, conversations
from tests.fuzz.mutations import spoil_association, spoiled
from tests.fuzz.peer import ACCEPTED, connected
from tests.fuzz.streams import parsed
from tests.peers.presence import until

IDLE_TIMEOUT_S = 1.0
_AT_ONCE = 6
_A_GOOD_ONE_EVERY = 25


@dataclass
class Assault:
    """A receiver, what was said to it, and what it takes."""

    node: Receiver
    folder: Path
    seed: int
    ends: Counter[str] = field(default_factory=Counter)
    good: int = 0

    def __post_init__(self) -> None:
        self.at_rest = _threads(self.node), _files(self.node)

    def play(self, numbers: range) -> None:
        """Play inputs, several at once, with good objects in between; nothing is left of them afterwards."""
        listening = threading.Thread(target=self._hear_events, daemon=True)
        listening.start()
        with ThreadPoolExecutor(_AT_ONCE) as peers:
            for begin in range(numbers.start, numbers.stop, _A_GOOD_ONE_EVERY):
                batch = range(begin, min(begin + _A_GOOD_ONE_EVERY, numbers.stop))
                spoken = peers.map(self.end_of, batch)
                assert self.stores(f"1.2.3.{begin}")
                self.ends.update(spoken)
        until(
            lambda: (_threads(self.node), _files(self.node)) <= self.at_rest, "all threads and files are gone"
        )

    def end_of(self, number: int) -> str:
        """How one conversation ends: what the receiver said last before it was closed."""
        rng = random.Random(f"{self.seed}/{number}")
        request = parsed(association_request())
        if rng.random() < 0.25:
            spoil_association(request, rng)
        words = spoiled(conversations(), rng)
        with connected(self.node.port) as peer:
            peer.say(request.encoded())
            if rng.random() < 0.05:
                return "left early"
            if (heard := peer.hear()) != ACCEPTED:
                return f"not accepted: {heard}"
            peer.say(words)
            if rng.random() < 0.1:
                return "left"
            if rng.random() < 0.5:
                peer.say_no_more()
            return f"ended with {peer.kinds()[-1:]}"

    def stores(self, instance: str) -> bool:
        """Whether a good object is stored."""
        self.good += 1
        return bool(send(self.node.port, Sent(instance=instance), self.folder).Status == 0x0000)

    def _hear_events(self) -> None:
        """As the node does, so that the pipe stays empty."""
        while self.node.process.alive:
            try:
                self.node.process.events.get(timeout=0.5)
            except Empty:
                continue


def peak_mb(node: Receiver) -> int:
    """The most memory the receiver has taken (VmHWM), in 10^6 bytes."""
    status = Path(f"/proc/{node.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 // 1_000_000


def _threads(node: Receiver) -> int:
    return len(list(Path(f"/proc/{node.process.pid}/task").iterdir()))


def _files(node: Receiver) -> int:
    return len(list(Path(f"/proc/{node.process.pid}/fd").iterdir()))


@contextmanager
def assaulted(folder: Path, seed: int) -> Iterator[Assault]:
    """A receiver that soon lets go of who is silent."""
    with receiver(folder / "archive", idle_timeout_s=IDLE_TIMEOUT_S, max_object_mb=4) as node:
        sending = folder / "sending"
        sending.mkdir()
        assault = Assault(node, sending, seed)
        assert assault.stores("1.2.3.4")
        yield assault


def main() -> int:
    """Play so many inputs; anything the receiver does not survive ends this with an error."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.sockets", description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="play this input alone")
    given = parser.parse_args()
    with TemporaryDirectory() as folder, assaulted(Path(folder), given.seed) as assault:
        pid, before, started = assault.node.process.pid, peak_mb(assault.node), time.monotonic()
        numbers = range(given.inputs) if given.only is None else range(given.only, given.only + 1)
        for begin in range(numbers.start, numbers.stop, 1000):
            assault.play(range(begin, min(begin + 1000, numbers.stop)))
            said = (
                f"{min(begin + 1000, numbers.stop):,} of {numbers.stop:,} inputs, seed {given.seed}, "
                f"{(begin + 1000 - numbers.start) / (time.monotonic() - started):.0f}/s, {assault.good} good objects "
                f"stored, peak {peak_mb(assault.node)} MB (at first {before})\n"
            )
            sys.stdout.write(said)
            sys.stdout.flush()
        assert assault.node.process.pid == pid
        for end, count in assault.ends.most_common():
            sys.stdout.write(f"{count:>7,} {end}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
