"""The options of evaluate, compare and ablate."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from typer import Argument, Option

from dicom_node.cli.train_options import Grid, Sources, Teaching

ARCHITECTURES: Final = "stran,dual-attention,spatiotemporal,spatial,temporal,cnn3d,cnn-lstm,st2d"

MODEL: Final = "a folder, a bundle file, or the name or digest of one that was imported"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judging:
    """By what is judged, how closely, and where the report goes."""

    out: Annotated[Path, Option(help="Where the report goes: Markdown, pictures, JSON.", file_okay=False)]
    label_column: Annotated[str, Option(help="The column to judge by. Default: what the model predicts.")] = (
        ""
    )
    resamples: Annotated[int, Option(help="How often patients are drawn again for the intervals.", min=1)] = (
        2000
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Which of the studies; never judge by those that a model learned from."""

    part: Annotated[str, Option(help="all, or train, validation or test of a split.")] = "all"
    folds: Annotated[int, Option(help="The split: as `train` was told.")] = 5
    fold: Annotated[int, Option(help="As `train` was told.")] = 1
    split: Annotated[Path | None, Option(help="As `train` was told.")] = None
    seed: Annotated[int, Option(help="As `train` was told.")] = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """When the question differs from the model's."""

    other_label: Annotated[
        bool, Option("--other-label", help="Judge by another column than the model was trained to predict.")
    ] = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Single:
    """One model."""

    bundle: Annotated[str, Argument(help=f"The model: {MODEL}.", metavar="BUNDLE")]
    group_by: Annotated[
        str,
        Option(help="Insist on groups by this: sex, age-band, manufacturer, field-strength, or a column."),
    ] = ""
    as_json: Annotated[bool, Option("--json", help="Print one JSON document, for scripts.")] = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Several:
    """The models; the first is held against the others."""

    bundles: Annotated[list[str], Argument(help=f"Two models or more, each {MODEL}.", metavar="BUNDLE...")]
    as_json: Annotated[bool, Option("--json", help="Print one JSON document, for scripts.")] = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Ladder:
    """The networks that are trained beside each other, on one split, from one seed."""

    architectures: Annotated[str, Option(help="Their names; the first is held against the others.")] = (
        ARCHITECTURES
    )
    folds: Annotated[int, Option(help="Deal the patients into so many folds.")] = 5
    fold: Annotated[int, Option(help="The fold to measure on; the next one chooses epoch and threshold.")] = 1
    split: Annotated[Path | None, Option(help="CSV with study_instance_uid and fold instead.")] = None
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show parts, parameters and memory of each; train nothing.")
    ] = False


@dataclass(frozen=True, slots=True)
class Evaluate:
    """All that `evaluate` was told."""

    single: Single
    judging: Judging
    sources: Sources
    part: Part
    label: Label


@dataclass(frozen=True, slots=True)
class Compare:
    """All that `compare` was told."""

    several: Several
    judging: Judging
    sources: Sources
    part: Part
    label: Label


@dataclass(frozen=True, slots=True)
class Ablate:
    """All that `ablate` was told."""

    judging: Judging
    sources: Sources
    ladder: Ladder
    teaching: Teaching
    grid: Grid
