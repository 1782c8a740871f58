"""A disk of 64 MB that fills while images come in, and has room again afterwards."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.peers.small_disk import fill, small_disk
from tests.side_by_side.sending import Answer, send, write_study
from tests.side_by_side.sides import Side, running

RESERVE_MB = 8
_STUDIES = 2
_ROOM = 4_000_000
"""Less than the studies take."""


@dataclass(frozen=True, slots=True)
class Full:
    """Answers while the disk was full ("": none came), what became of what was acknowledged, and recovery.

    `taken_again` of `refused` images were acknowledged when there was room, by the process that had run out of it
    if `same_process`.
    """

    answers: Counter[str]
    acknowledged: int
    missing: int
    damaged: int
    refused: int
    taken_again: int
    same_process: bool
    missing_in_the_end: int


def full_disk(make: Callable[[Path], Side], folder: Path) -> Full:
    """Send two studies into too little room, look, make room, and send again what was not acknowledged."""
    studies = [write_study(folder / f"study{number}", number) for number in range(_STUDIES)]
    identities = {path: one for study in studies for path, one in study.items()}
    with small_disk(folder / "disk", 64) as disk, running(make(disk)) as side:
        first = side.pid
        ballast = fill(disk, RESERVE_MB * 1_000_000 + _ROOM if side.reserves else _ROOM)
        answers = [answer for study in studies for answer in send(side, list(study))]
        kept = {identities[one.path][0]: identities[one.path][1] for one in answers if one.stored}
        missing, damaged = _wrong(side, kept)
        ballast.unlink()
        if not side.pid:
            side.start()
        again = _again(side, [one.path for one in answers if not one.stored])
        same = side.pid == first
        kept |= dict(identities[one.path] for one in again if one.stored)
        in_the_end = sum(_wrong(side, kept))
    return Full(
        Counter(one.said for one in answers),
        sum(one.stored for one in answers),
        missing,
        damaged,
        len(again),
        sum(one.stored for one in again),
        same,
        in_the_end,
    )


def _again(side: Side, paths: list[Path]) -> list[Answer]:
    return send(side, paths) if paths else []


def _wrong(side: Side, kept: dict[str, str]) -> tuple[int, int]:
    """How many acknowledged images are missing, and how many damaged."""
    held = side.held() if side.pid else {}
    missing = sum(uid not in held for uid in kept)
    return missing, sum(held.get(uid, digest) != digest for uid, digest in kept.items())
