"""The command that makes models: train."""

import typer

from dicom_node.cli.labelled_source import labelled
from dicom_node.cli.option_groups import taking
from dicom_node.cli.session import Exit, err, reported, session
from dicom_node.cli.train_view import (
    print_estimate,
    print_gathered,
    print_parts,
    print_trained,
    telling_of_epochs,
)
from dicom_node.cli.train_wanted import Wanted
from dicom_node.leaving import leaving_between_steps
from models.examples import Examples
from models.training.balance import groups_of
from models.training.course import News
from models.training.estimate import estimate
from models.training.plan import TrainingPlan
from models.training.run import train as run
from models.training.split_file import read_split
from models.training.splits import Split, draw_split


@taking(Wanted)
def train(ctx: typer.Context, wanted: Wanted) -> None:
    """Train a network on labelled studies: a bundle comes out, with its scores on patients it never saw.

    After every epoch the state is in the run's folder. After Ctrl-C, a crash or a power cut, the same command
    with --resume goes on to the same result. Studies are prepared once and kept for the next run.
    """
    with reported():
        plan, settings = wanted.plan, session(ctx).settings
        column = wanted.data.label_column
        source = labelled(wanted.sources, column, settings, "train", wanted.group_by)
        gathered = source.prepared(wanted.recipe)
        split = _split(wanted, gathered.examples)
        groups_of(
            gathered.examples,
            split.train,
            plan.group_by,
            several=plan.balance != "none",
            each_answer=plan.each_answer,
        )
        print_gathered(gathered)
        if wanted.doing.dry_run:
            print_parts(gathered.examples, split)
            print_estimate(estimate(plan, wanted.recipe))
            return
        _train(wanted, plan, gathered.examples, split)


def _split(wanted: Wanted, examples: Examples) -> Split:
    parts = wanted.parts
    if parts.split is not None:
        return read_split(parts.split, examples, fold=parts.fold)
    return draw_split(examples, folds=parts.folds, fold=parts.fold, seed=wanted.teaching.seed)


def _train(wanted: Wanted, plan: TrainingPlan, examples: Examples, split: Split) -> None:
    try:
        with telling_of_epochs(plan.epochs) as say, leaving_between_steps(_stopping) as leave_if_asked:

            def told(event: News) -> None:
                say(event)
                leave_if_asked()

            trained = run(plan, examples, split, wanted.data.out, told, resume=wanted.doing.resume)
    except KeyboardInterrupt:
        err.print(f"stopped; the same command with --resume goes on in {wanted.data.out}", highlight=False)
        raise typer.Exit(Exit.FAILED) from None
    print_trained(trained)


def _stopping() -> None:
    err.print("stopping after this step; Ctrl-C once more stops at once", highlight=False)
