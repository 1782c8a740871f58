"""What `dicom-node train` shows: before, meanwhile, afterwards."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from dicom_node.cli.session import err, out
from models.examples import Examples
from models.manifest import read_manifest
from models.training.course import Epoch, News, Step
from models.training.estimate import Estimate
from models.training.gathering import Gathered
from models.training.run import Trained
from models.training.splits import PARTS, Split
from models.training.studies import Say

_SHOWN_REASONS = 10


@contextmanager
def telling_of_studies() -> Iterator[Say]:
    """A bar for what is done to files and studies; nothing where no terminal is."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        tasks = {}

        def say(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done)

        yield say


@contextmanager
def telling_of_epochs(epochs: int) -> Iterator[Callable[[News], None]]:
    """A bar with the time that is left at most, for a terminal; a line per epoch for a file."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("training", total=None)

        def say(event: News) -> None:
            if isinstance(event, Step):
                done = (event.epoch - 1) * event.steps + event.step
                what = f"epoch {event.epoch} of {epochs}, loss {event.loss:.3f}"
                progress.update(task, description=what, completed=done, total=epochs * event.steps)
            elif isinstance(event, Epoch):
                out.print(epoch_line(event, epochs), highlight=False)
            else:
                progress.update(task, description=event.doing, total=None)

        yield say


def epoch_line(epoch: Epoch, epochs: int) -> str:
    """One epoch in a line."""
    return (
        f"epoch {epoch.epoch:>3} of {epochs}: loss {epoch.loss:.4f}, validation loss {epoch.val_loss:.4f}, "
        f"AUC {epoch.val_auc:.3f}, {epoch.seconds:.1f} s"
    )


def print_gathered(gathered: Gathered) -> None:
    """How many studies there are, and which are left out and why."""
    examples, left_out = gathered.examples, gathered.left_out
    positive, patients = int(examples.label.sum()), len(set(examples.patients))
    simulated = ", [bold red]simulated[/]" if examples.simulated else ""
    out.print(
        f"{len(examples)} studies of {patients} patients{simulated}; {examples.label_name}: "
        f"{positive} yes, {len(examples) - positive} no",
        highlight=False,
    )
    for uid, reason in sorted(left_out.items())[:_SHOWN_REASONS]:
        err.print(f"[yellow]left out:[/] {uid}: {escape(reason)}", highlight=False)
    if left_out:
        err.print(f"{len(left_out)} labelled studies are left out", highlight=False)


def print_parts(examples: Examples, split: Split) -> None:
    """A table of the parts: studies, patients, answers, groups."""
    table = Table("", *PARTS, box=None)
    parts = [getattr(split, part) for part in PARTS]
    table.add_row("studies", *(str(len(part)) for part in parts))
    table.add_row("patients", *(str(len({examples.patients[int(one)] for one in part})) for part in parts))
    table.add_row(
        escape(f"{examples.label_name}: yes"), *(str(int(examples.label[part].sum())) for part in parts)
    )
    for name, values in examples.groups.items():
        for value in sorted(set(values)):
            counts = (Counter(values[int(one)] for one in part)[value] for part in parts)
            table.add_row(escape(f"{name}: {value or 'not known'}"), *map(str, counts))
    out.print(table)
    out.print(escape(split.told), highlight=False)


def print_estimate(estimate: Estimate) -> None:
    """What the network will need."""
    out.print(
        f"{estimate.parameters:,} parameters; about {estimate.memory_mb:,} MB of memory while training",
        highlight=False,
    )


def print_trained(trained: Trained) -> None:
    """Where the bundle is and what it scored."""
    manifest = read_manifest(trained.bundle)
    table = Table("part", "studies", "positive", "AUC", "sensitivity", "specificity", box=None)
    for part in ("validation", "test"):
        scores = manifest.scores[part]
        names = ("n", "positives", "auc", "sensitivity", "specificity")
        table.add_row(part, *(str(scores.get(name, "")) for name in names))
    best = min(trained.history, key=lambda epoch: epoch.val_loss).epoch
    out.print(
        f"the weights of epoch {best} of {len(trained.history)}, {trained.seconds:.0f} s", highlight=False
    )
    out.print(table)
    out.print(f"threshold {manifest.threshold:.4f}: {escape(manifest.threshold_rule)}", highlight=False)
    out.print(f"bundle {trained.bundle}", highlight=False)
    if manifest.demonstration:
        out.print("[bold red]DEMONSTRATION WEIGHTS, RESEARCH USE ONLY[/]")
