"""Make this repository's reference results: `python -m models.reference --work DIR --page docs/results.md`.

Trains eight networks on one cohort of phantoms, and a few more to show what a short cut does. Takes an hour
or two of two cores. Whatever ends it, the same command goes on where it was; when all is done, it only writes
the page.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

from rich.console import Console

from models.errors import ModelError
from models.reference.document import document
from models.reference.running import done, processor, run_all
from models.reference.trials import Sizes, trials

_TINY: Final = Sizes((2, 1, 2), (8, 4, 8), (3, 2, 2), epochs=1)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m models.reference", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="where trainings lie, done and under way")
    parser.add_argument("--page", type=Path, help="the page to write; without, it goes to standard output")
    parser.add_argument("--so-far", action="store_true", help="train nothing; write what is done")
    parser.add_argument(
        "--seed", type=int, default=1, help="of weights, batches and augmentation (default 1)"
    )
    parser.add_argument("--epochs", type=int, default=Sizes().epochs, help="the most (default %(default)s)")
    parser.add_argument("--tiny", action="store_true", help="a rehearsal: a handful of hearts, one epoch")
    parser.add_argument(
        "--remark", default="", help="a sentence for the page, such as what else the machine did"
    )
    parser.add_argument("--commit", default="", help="of the code, for the page; `make results` gives it")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0; 1 if a training cannot be done or resumed."""
    given = _arguments(argv)
    console = Console(stderr=True, soft_wrap=True)
    sizes = _TINY if given.tiny else replace(Sizes(), epochs=given.epochs)
    try:
        if given.so_far:
            outcomes = done(given.work, sizes, given.seed)
        else:
            outcomes = run_all(given.work, sizes, given.seed, _told(given.commit), console.print)
    except ModelError as error:
        console.print(f"[red]error:[/] {error}", highlight=False)
        return 1
    there = {outcome.trial for outcome in outcomes}
    missing = [one.name for one in trials(sizes, given.seed) if one.name not in there]
    page = document(outcomes, missing, given.remark)
    if given.page:
        given.page.write_text(page, encoding="utf-8")
    else:
        Console().print(page, markup=False, highlight=False, soft_wrap=True)
    return 0


def _told(commit: str) -> dict[str, str]:
    """What a reader needs to repeat it, beside the seed."""
    software = " ".join(f"{name} {version(name)}" for name in ("tensorflow", "keras", "numpy"))
    return {"commit": commit or "not told", "hardware": processor(), "software": software}


if __name__ == "__main__":
    sys.exit(main())
