"""Write a simulated cohort as DICOM with its labels: `python -m models.cohort --out DIR`.

To try training and judging with no patient: give DIR/images and DIR/labels.csv to `dicom-node train`, or send
the images to a node (`dicom-node send`) and the labels after them (`dicom-node labels import`). Site A writes
as one make of scanner and site B as another, so that results can be grouped by manufacturer.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from models.cohort.designs import Cohort, backwards, banded, lesions
from models.cohort.writing import OtherCohort, write_cohort


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m models.cohort", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="a folder, made if it is not there")
    parser.add_argument(
        "--design",
        choices=("lesions", "banded", "backwards"),
        default="lesions",
        help="lesions: three kinds of lesion, healthy hearts, and two kinds that resemble a lesion\n"
        "banded: a band of fat beside the heart that goes with the label at site B\n"
        "backwards: every heart twice, the second time played backwards",
    )
    parser.add_argument("--studies", type=int, default=120, help="how many, about (default 120)")
    parser.add_argument("--seed", type=int, default=0, help="of the first heart (default 0)")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0, 1 if the folder holds something else."""
    given = _arguments(argv)
    cohort = _cohort(given)
    console = Console(stderr=True)
    with Progress(console=console) as progress:
        task = progress.add_task("studies", total=len(cohort.members))
        try:
            write_cohort(cohort, given.out, lambda count: progress.update(task, completed=count))
        except OtherCohort as error:
            console.print(f"[red]error:[/] {error}", highlight=False)
            return 1
    return 0


def _cohort(given: argparse.Namespace) -> Cohort:
    if given.design == "lesions":
        return lesions(given.seed, max(1, round(given.studies / 6)))
    if given.design == "banded":
        return banded(given.seed, max(2, given.studies))
    return backwards(given.seed, max(1, given.studies // 2))


if __name__ == "__main__":
    sys.exit(main())
