"""The command that makes models: train."""

import typer

from dicom_node.cli.audit import record
from dicom_node.cli.option_groups import taking
from dicom_node.cli.session import Exit, err, open_store, reported, session
from dicom_node.cli.train_view import (
    print_estimate,
    print_gathered,
    print_parts,
    print_trained,
    telling_of_epochs,
    telling_of_studies,
)
from dicom_node.cli.train_wanted import Wanted
from dicom_node.config import Settings
from dicom_node.errors import ConfigError
from dicom_node.operate.labelled_studies import archived_studies, prepared_dir
from models.examples import Examples
from models.training.balance import groups_of
from models.training.estimate import estimate
from models.training.example_store import ExampleStore
from models.training.gathering import Gathered, gather
from models.training.labels import Labels, read_labels
from models.training.plan import TrainingPlan
from models.training.run import train as run
from models.training.split_file import read_split
from models.training.splits import Split, draw_split
from models.training.studies import Found, Say, find_studies


@taking(Wanted)
def train(ctx: typer.Context, wanted: Wanted) -> None:
    """Train a network on labelled studies: a bundle comes out, with its scores on patients it never saw.

    After every epoch the state is in the run's folder. After Ctrl-C, a crash or a power cut, the same command
    with --resume goes on to the same result. Studies are prepared once and kept for the next run.
    """
    with reported():
        plan, settings = wanted.plan, session(ctx).settings
        gathered = _gathered(wanted, settings)
        split = _split(wanted, gathered.examples)
        groups_of(gathered.examples, split.train, plan.group_by, several=plan.balance != "none")
        print_gathered(gathered)
        if wanted.doing.dry_run:
            print_parts(gathered.examples, split)
            print_estimate(estimate(plan, wanted.recipe))
            return
        _train(wanted, plan, gathered.examples, split)


def _gathered(wanted: Wanted, settings: Settings) -> Gathered:
    data = wanted.data
    if data.from_archive == (data.images is not None):
        raise ConfigError("say where the studies are: either --images DIR or --from-archive")
    labels = read_labels(data.labels, data.label_column, wanted.group_column)
    store = ExampleStore(prepared_dir(settings, data.cache), wanted.recipe)
    with telling_of_studies() as say:
        return gather(labels, _found(wanted, settings, labels, store, say), store, wanted.recipe, say)


def _found(wanted: Wanted, settings: Settings, labels: Labels, store: ExampleStore, say: Say) -> Found:
    if wanted.data.images is not None:
        return find_studies(wanted.data.images, store.files(), say)
    record(settings, "train", detail=f"{len(labels.by_study)} labelled studies from the archive")
    with open_store(settings) as node_store:
        return archived_studies(node_store, settings, labels)


def _split(wanted: Wanted, examples: Examples) -> Split:
    parts = wanted.parts
    if parts.split is not None:
        return read_split(parts.split, examples, fold=parts.fold)
    return draw_split(examples, folds=parts.folds, fold=parts.fold, seed=wanted.teaching.seed)


def _train(wanted: Wanted, plan: TrainingPlan, examples: Examples, split: Split) -> None:
    try:
        with telling_of_epochs(plan.epochs) as say:
            trained = run(plan, examples, split, wanted.data.out, say, resume=wanted.doing.resume)
    except KeyboardInterrupt:
        err.print(f"stopped; the same command with --resume goes on in {wanted.data.out}", highlight=False)
        raise typer.Exit(Exit.FAILED) from None
    print_trained(trained)
