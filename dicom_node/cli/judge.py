"""Commands that say how good models are: evaluate, compare, ablate."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dicom_node.cli.judge_options import Ablate, Compare, Evaluate, Judging, Part
from dicom_node.cli.labelled_source import Labelled, labelled
from dicom_node.cli.models_desk import unpacked
from dicom_node.cli.option_groups import taking
from dicom_node.cli.session import err, out, reported, session
from dicom_node.cli.train_view import (
    print_estimate,
    print_gathered,
    print_parts,
    telling_of_epochs,
)
from dicom_node.config import Settings
from models.errors import NotJudged, TrainingRefused
from models.evaluation.asking import Tell, part_of
from models.evaluation.bootstrap import Resampling
from models.examples import Examples
from models.manifest import Manifest, read_manifest
from models.training.estimate import estimate
from models.training.groups import GROUPS
from models.training.plan import TrainingPlan
from models.training.run import train
from models.training.split_file import read_split
from models.training.splits import PARTS, Split, draw_split
from pipeline.preprocessing import Preprocessing

if TYPE_CHECKING:
    from reports.evaluation.comparison import Contestant


@taking(Evaluate)
def evaluate(ctx: typer.Context, wanted: Evaluate) -> None:
    """Judge a model on labelled studies: figures with intervals, pictures, groups, simple motion beside it.

    Writes evaluation.md, evaluation.json and PNG pictures. A report that is there already is replaced.
    """
    with reported():
        from dicom_node.operate.judging import evaluation_files, verdict, write_files

        settings, group_by = session(ctx).settings, _property(wanted.single.group_by)
        with unpacked(settings, [wanted.single.bundle]) as [bundle]:
            manifest = read_manifest(bundle)
            column = _column(wanted.judging, [manifest], wanted.label.other_label)
            source = labelled(wanted.sources, column, settings, "evaluate", group_by)
            examples = _examples(source, manifest.preprocessing, quiet=wanted.single.as_json)
            judged, told = _judged_part(examples, wanted.part)
            resampling = Resampling(wanted.judging.resamples)
            with _asking(manifest, len(judged)) as tell:
                subject, judgement = verdict(bundle, manifest, judged, told, resampling, tell)
        files = evaluation_files(subject, judgement, [group_by] if group_by else [])
        write_files(wanted.judging.out, files)
    _print_report(wanted.judging.out / "evaluation.md", files["evaluation.json"], wanted.single.as_json)


@taking(Compare)
def compare(ctx: typer.Context, wanted: Compare) -> None:
    """Judge models side by side on the same studies: figures, paired differences, time, memory, operations.

    Writes comparison.md, comparison.json and roc.png.
    """
    with reported():
        from dicom_node.operate.judging import comparison_files, write_files

        if len(wanted.several.bundles) < 2:
            raise NotJudged("comparing takes at least two models")
        settings = session(ctx).settings
        with unpacked(settings, wanted.several.bundles) as bundles:
            judged = _judged_for(wanted, settings, [read_manifest(bundle) for bundle in bundles])
            files = comparison_files(_contest(bundles, judged, Resampling(wanted.judging.resamples)))
        write_files(wanted.judging.out, files)
    _print_report(wanted.judging.out / "comparison.md", files["comparison.json"], wanted.several.as_json)


@taking(Ablate)
def ablate(ctx: typer.Context, wanted: Ablate) -> None:
    """Train several networks on one split from one seed, and compare them on the patients none of them saw.

    After an interruption the same command goes on; a network that is trained already is not trained again.
    """
    with reported():
        from dicom_node.operate.judging import comparison_files, write_files

        settings, plans = session(ctx).settings, _plans(wanted)
        if not wanted.judging.label_column:
            raise TrainingRefused("say what is to be learned: --label-column")
        source = labelled(wanted.sources, wanted.judging.label_column, settings, "ablate")
        recipe = Preprocessing(**asdict(wanted.grid))
        examples = _examples(source, recipe)
        ladder = wanted.ladder
        split = _split(examples, ladder.split, ladder.folds, ladder.fold, wanted.teaching.seed)
        if ladder.dry_run:
            print_parts(examples, split)
            for plan in plans:
                out.print(f"{plan.architecture}: ", end="", highlight=False)
                print_estimate(estimate(plan, recipe))
            return
        bundles = [_trained(plan, examples, split, wanted.judging.out) for plan in plans]
        test = part_of(examples, split.test), f"Test part: {split.told}"
        files = comparison_files(
            _contest(bundles, [test] * len(bundles), Resampling(wanted.judging.resamples))
        )
        write_files(wanted.judging.out, files)
    _print_report(wanted.judging.out / "comparison.md", files["comparison.json"], as_json=False)


def _judged_for(
    wanted: Compare, settings: Settings, manifests: Sequence[Manifest]
) -> list[tuple[Examples, str]]:
    """For each model the same studies, as its recipe prepares them."""
    column = _column(wanted.judging, manifests, wanted.label.other_label)
    source = labelled(wanted.sources, column, settings, "compare")
    prepared = {}
    for recipe in {one.preprocessing.sha256: one.preprocessing for one in manifests}.values():
        examples = _examples(source, recipe, quiet=wanted.several.as_json)
        prepared[recipe.sha256] = _judged_part(examples, wanted.part)
    return [prepared[one.preprocessing.sha256] for one in manifests]


def _plans(wanted: Ablate) -> list[TrainingPlan]:
    names = [name.strip() for name in wanted.ladder.architectures.split(",") if name.strip()]
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise TrainingRefused("--architectures are two names or more, each once, with commas between")
    if wanted.teaching.init is not None:
        raise TrainingRefused("networks that are compared all start from the same seed: leave --init out")
    return [TrainingPlan(architecture=name, **asdict(wanted.teaching)) for name in names]


def _trained(plan: TrainingPlan, examples: Examples, split: Split, folder: Path) -> Path:
    out.print(f"[bold]{plan.architecture}[/]", highlight=False)
    with telling_of_epochs(plan.epochs) as say:
        return train(plan, examples, split, folder / plan.architecture, say, resume=True).bundle


def _contest(
    bundles: Sequence[Path], judged: Sequence[tuple[Examples, str]], resampling: Resampling
) -> "list[Contestant]":
    from dicom_node.operate.judging import contestants, verdict

    verdicts = []
    for bundle, (examples, told) in zip(bundles, judged, strict=True):
        manifest = read_manifest(bundle)
        with _asking(manifest, len(examples)) as tell:
            verdicts.append(verdict(bundle, manifest, examples, told, resampling, tell))
    return contestants(verdicts, bundles, lambda what: err.print(f"[dim]{escape(what)}[/]", highlight=False))


def _column(judging: Judging, manifests: Sequence[Manifest], other_label: bool) -> str:
    from dicom_node.operate.judging import require_label

    column = judging.label_column or manifests[0].label
    for manifest in manifests:
        require_label(manifest, column, other_label)
    return column


def _property(name: str) -> str:
    """A property of the headers, however it is spelt, or a column of the labels."""
    of_header = name.replace("-", "_")
    return of_header if of_header in GROUPS else name


def _examples(source: Labelled, recipe: Preprocessing, *, quiet: bool = False) -> Examples:
    gathered = source.prepared(recipe)
    if not quiet:
        print_gathered(gathered)
    return gathered.examples


def _judged_part(examples: Examples, part: Part) -> tuple[Examples, str]:
    """The part that is asked for, and a clause that says which it is."""
    if part.part == "all":
        return examples, "All labelled studies; whether the model learned from some is not known here"
    if part.part not in PARTS:
        raise NotJudged(f"--part is all, {', '.join(PARTS)}, and not {part.part!r}")
    split = _split(examples, part.split, part.folds, part.fold, part.seed)
    return part_of(examples, getattr(split, part.part)), f"{part.part.capitalize()} part: {split.told}"


def _split(examples: Examples, file: Path | None, folds: int, fold: int, seed: int) -> Split:
    if file is not None:
        return read_split(file, examples, fold=fold)
    return draw_split(examples, folds=folds, fold=fold, seed=seed)


@contextmanager
def _asking(manifest: Manifest, studies: int) -> Iterator[Tell]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(f"asking {manifest.name} {manifest.version}", total=studies)
        yield lambda: progress.advance(task)


def _print_report(path: Path, document: bytes, as_json: bool) -> None:
    if as_json:
        typer.echo(document.decode())
    else:
        out.print(f"report {path}", highlight=False)
