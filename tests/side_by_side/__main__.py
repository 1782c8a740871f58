"""storescp, Orthanc and the node in the same trials, as tables for docs/reliability.md: `make beside`."""

import argparse
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.side_by_side.full_disk import RESERVE_MB, Full, full_disk
from tests.side_by_side.kills import Killed, kill_rounds
from tests.side_by_side.sides import DefaultOrthanc, Node, Side, Storescp
from tests.side_by_side.syncs import Synced, syncs

SIDES: tuple[Callable[[Path], Side], ...] = (
    Storescp,
    DefaultOrthanc,
    lambda folder: Node(folder, RESERVE_MB),
)


def main() -> None:
    """Run every trial with every side, and print what was seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.side_by_side", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="of kill -9, for each side")
    parser.add_argument("--seed", type=int, default=1, help="chooses the moments")
    given = parser.parse_args()
    killed, full, synced, names = [], [], [], []
    with tempfile.TemporaryDirectory(prefix="side-by-side-") as place:
        for number, make in enumerate(SIDES):
            folder = Path(place) / str(number)
            side = make(folder / "kills")
            killed.append(kill_rounds(side, folder / "sent", given.rounds, given.seed))
            names.append(_named(make, folder / "named"))
            full.append(full_disk(make, folder / "full"))
            synced.append(syncs(make(folder / "syncs"), folder / "traced"))
    sys.stdout.write(f"{platform.system()} {platform.release()}\n")
    _table("kill -9", names, [_killed(one) for one in killed])
    _table("disk full", names, [_full(one) for one in full])
    _table("before Success", names, [_synced(one) for one in synced])


def _named(make: Callable[[Path], Side], folder: Path) -> str:
    side = make(folder)
    side.start()
    try:
        return f"{side.name} {side.version()}"
    finally:
        side.kill()


def _killed(one: Killed) -> dict[str, object]:
    return {
        "rounds, of them in the midst of a study": f"{one.rounds}, {one.hit}",
        "images acknowledged": one.acknowledged,
        "... missing afterwards": one.missing,
        "... damaged afterwards": one.damaged,
        "partial or orphaned files left": one.strays,
    }


def _full(one: Full) -> dict[str, object]:
    said = [f"{count} x {answer or 'none'}" for answer, count in one.answers.most_common()]
    return {
        "answers": ", ".join(said),
        "acknowledged, then missing or damaged": f"{one.missing} or {one.damaged} of {one.acknowledged}",
        "sent again when there was room, taken": f"{one.taken_again} of {one.refused}",
        "by the same process": "yes" if one.same_process else "no, it had ended",
        "missing in the end": one.missing_in_the_end,
    }


def _synced(one: Synced) -> dict[str, object]:
    return {
        "the file synced": f"{one.file} of {one.images}",
        "its folder synced": f"{one.folder} of {one.images}",
        "the image synced in a journal": f"{one.journal} of {one.images}",
        "an index synced": f"{one.index} of {one.images}",
    }


def _table(title: str, names: list[str], columns: list[dict[str, object]]) -> None:
    rows = [f"| {title} | {' | '.join(names)} |", "| --- |" + " --- |" * len(names)]
    rows += [f"| {key} | {' | '.join(str(one[key]) for one in columns)} |" for key in columns[0]]
    sys.stdout.write("\n" + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
