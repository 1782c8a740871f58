"""Rounds of kill -9 at seeded random moments: a sender that never gives up, and a killer."""

import contextlib
import hashlib
import os
import random
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from pydicom import dcmread

from dicom_node.archive.journal import FOLDER as JOURNAL
from pipeline.phantom import Layout, Phantom, Scan, draw_heart, render, write_dicom
from tests.e2e.node import ServedNode
from tests.peers import storescu
from tests.peers.presence import until

Victim = Literal["receiver", "worker", "node", "all"]
VICTIMS: tuple[Victim, ...] = ("receiver", "worker", "node", "all")
TINY = Scan(slices=3, phases=8, matrix=(48, 48))
IMAGES = TINY.slices * TINY.phases
_MOMENTS = (("", 1.0), ("study-closed", 1.5), ("study-analysed", 0.8))
"""After which event of this study or of one before it, and how many seconds later at most: while images come in,
while studies wait or are analysed, while results go out."""
_META_LENGTH = slice(140, 144)  # the value of (0002,0000), PS3.10 7.1
_STARTS = 20
_BREATH_S = 0.2


@dataclass
class Rounds:
    """A node under fire and what it has promised so far: SOP Instance UID → digest of the dataset.

    Studies are not waited for: while one is sent, others are read and delivered.
    """

    node: ServedNode
    folder: Path
    seed: int
    acknowledged: dict[str, str] = field(default_factory=dict)
    studies: list[str] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    starts_refused: int = 0
    after_starts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)

    def play(self, number: int) -> None:
        """Send one study; somewhere on its way kill something; start again what does not start by itself."""
        victim = VICTIMS[number % len(VICTIMS)]
        unsent, mark = self._study(number), self.node.mark()
        event, longest_s = self._rng.choice(_MOMENTS)
        shot = threading.Timer(self._rng.uniform(0.0, longest_s), self._kill, [victim])
        if event:
            unsent = self._send_all(unsent)
            self.node.wait_for(event, since=mark)
        shot.start()
        while unsent := self._send(unsent):
            if not self.node.running:
                shot.join()
                self._start_again()
        shot.join()
        if not self.node.running:
            self._start_again()

    def _study(self, number: int) -> list[Path]:
        folder = self.folder / f"study{number}"
        folder.mkdir()
        name = hashlib.sha256(f"{self.seed}/{number}".encode()).digest()
        self.studies.append(f"2.25.{int.from_bytes(name[:15])}")
        heart = _heart(self._rng.randrange(4))
        return write_dicom(heart, folder, Layout.SIEMENS, study_uid=self.studies[-1])

    def _kill(self, victim: Victim) -> None:
        match victim:
            case "all":
                self.node.kill_all()
            case "node":
                self.node.crash()
            case _:
                until(lambda: victim in self.node.children(), f"a {victim} to kill")
                os.kill(self.node.children()[victim], signal.SIGKILL)
        self.killed[victim] += 1

    def _start_again(self) -> None:
        """As a service manager would: at once, and until the port that a dying receiver still holds is free."""
        for _ in range(_STARTS):
            with contextlib.suppress(AssertionError):
                self.node.start()
                break
            self.starts_refused += 1
        else:
            raise AssertionError(f"the node does not start again:\n{self.node.log}")
        self.starts += 1
        self.after_starts += self._whole()

    def _whole(self) -> Iterator[str]:
        """What is wrong with archive and database right after a start, while nobody sends."""
        yield from (f"start {self.starts} left {path}" for path in unfinished(self.node.data / "archive"))
        if (said := self.ask("PRAGMA integrity_check")) != [("ok",)]:
            yield f"start {self.starts} has a damaged database: {said}"

    def _send_all(self, files: list[Path]) -> list[Path]:
        while files:
            files = self._send(files)
        return files

    def _send(self, files: list[Path]) -> list[Path]:
        """Send on one association; returns what was not acknowledged with Success."""
        if not files:
            return files
        statuses = storescu(files, self.node.config_port, self.node.ae_title).statuses
        done = [path for path, status in zip(files, statuses, strict=False) if status == "Success"]
        if not done:
            threading.Event().wait(_BREATH_S)  # nobody is there; a sender does not hammer
        for path in done:
            uid = str(dcmread(path, specific_tags=["SOPInstanceUID"]).SOPInstanceUID)
            self.acknowledged[uid] = encoded_digest(path)
        return [path for path in files if path not in done]

    def await_delivered(self) -> None:
        """Return when every study has come to rest."""
        open_states = ("receiving", "ready", "running", "delivering")

        def at_rest() -> bool:
            states = dict(self.ask("SELECT study_instance_uid, state FROM jobs"))
            return set(states) == set(self.studies) and not set(states.values()) & set(open_states)

        until(at_rest, "every study at rest", deadline_s=60.0 + 15.0 * len(self.studies))

    def ask(self, query: str) -> list[tuple[str, ...]]:
        """Rows of the node's database, read beside it."""
        address = f"file:{self.node.data / 'node.db'}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=30)) as connection:
            return connection.execute(query).fetchall()


def unfinished(folder: Path) -> list[Path]:
    """Files that are neither an instance nor a run's record nor the archive's journal."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != JOURNAL]
    return [path for path in files if path.suffix not in (".dcm", ".run") or path.name.startswith(".")]


def encoded_digest(path: Path) -> str:
    """SHA-256 of a Part 10 file's dataset, as it is encoded."""
    content = path.read_bytes()
    start = 144 + int.from_bytes(content[_META_LENGTH], "little")
    return hashlib.sha256(content[start:]).hexdigest()


@cache
def _heart(seed: int) -> Phantom:
    return render(draw_heart(seed), TINY)
