"""The options of `dicom-node train`, by what they are about."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from typer import Argument, Option

from models.registry import ARCHITECTURES
from models.training.augment import Augmentation
from models.training.plan import TrainingPlan
from pipeline.preprocessing import Preprocessing

_PLAN: Final = TrainingPlan()
_AUGMENTATION: Final = Augmentation()
_RECIPE: Final = Preprocessing()


@dataclass(frozen=True, kw_only=True, slots=True)
class Data:
    """What is learned by what, and where that goes."""

    architecture: Annotated[
        str, Argument(metavar="ARCH", help=f"The network: {', '.join(ARCHITECTURES)}.", show_default=False)
    ]
    label_column: Annotated[
        str,
        Option(help="The column to learn, for example Scar, which is not WMA: models and reports name it."),
    ]
    out: Annotated[
        Path, Option(help="The run's folder: bundle, logs, and the state to resume from.", file_okay=False)
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """Where labels and studies come from, for whatever learns from them or judges by them."""

    labels: Annotated[
        Path | None,
        Option(
            help="CSV with study_instance_uid, patient_id and a column per answer (1/0, yes/no, true/false, "
            "present/absent). Without: what `dicom-node labels` keeps; only with --from-archive."
        ),
    ] = None
    images: Annotated[
        Path | None, Option(help="A folder with the labelled studies, in any layout.", file_okay=False)
    ] = None
    from_archive: Annotated[
        bool, Option("--from-archive", help="Take the studies from this node's archive.")
    ] = False
    cache: Annotated[
        Path | None,
        Option(
            help="Where prepared volumes are kept for the next run; they are images of patients without "
            "names. Default: prepared in data_dir.",
            file_okay=False,
        ),
    ] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """Who is learned from, chosen by and measured on."""

    folds: Annotated[int, Option(help="Deal the patients into so many folds, each with both answers.")] = 5
    fold: Annotated[int, Option(help="The fold to measure on; the next one chooses epoch and threshold.")] = 1
    split: Annotated[
        Path | None,
        Option(
            help="CSV with study_instance_uid and fold (train, validation, test, or numbers) instead. A "
            "patient in two folds is refused."
        ),
    ] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Teaching:
    """How it is learned."""

    epochs: Annotated[int, Option(help="At most so many passes over the training studies.")] = _PLAN.epochs
    patience: Annotated[int, Option(help="Stop after so many epochs without a lower validation loss.")] = (
        _PLAN.patience
    )
    batch: Annotated[int, Option(help="Studies computed at the same time; memory grows with it.")] = (
        _PLAN.batch
    )
    accumulate: Annotated[
        int, Option(help="Batches to one step of the optimizer: a larger batch without its memory.")
    ] = _PLAN.accumulate
    rate: Annotated[float, Option(help="Adam's learning rate at the start.")] = _PLAN.rate
    schedule: Annotated[
        str, Option(help="How the rate falls: cosine, or plateau (when the validation loss no longer does).")
    ] = _PLAN.schedule
    precision: Annotated[
        str, Option(help="float32, mixed_bfloat16 or mixed_float16. The bundle is float32 in any case.")
    ] = _PLAN.precision
    seed: Annotated[int, Option(help="Of split, start and order: the same seed, the same model.")] = (
        _PLAN.seed
    )
    workers: Annotated[int, Option(help="Threads that make batches ready; more pay with a GPU.")] = (
        _PLAN.workers
    )
    init: Annotated[
        Path | None,
        Option(help="Start from this bundle's weights; the same architecture.", file_okay=False),
    ] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fairness:
    """Rare or hard groups given their due."""

    balance: Annotated[
        str,
        Option(
            help="none; oversample (equally many of each group in a batch); reweigh (the rarer a group, the "
            "more its losses count); groupdro (the worse a group's loss, the more it counts)."
        ),
    ] = _PLAN.balance
    group_by: Annotated[
        str,
        Option(
            help="The groups: sex, age-band, manufacturer or field-strength, from the headers, or a column "
            "of the labels. Default: the two answers themselves, the remedy for rare disease."
        ),
    ] = ""
    each_answer: Annotated[
        bool,
        Option(
            "--each-answer",
            help="Count every answer within a group as a group of its own, against a property that goes with "
            "the answer; reweigh does so in any case.",
        ),
    ] = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Variation:
    """How training studies are varied, every time anew."""

    rotation_deg: Annotated[float, Option(help="Turn in plane by up to so much.")] = (
        _AUGMENTATION.rotation_deg
    )
    shift_px: Annotated[float, Option(help="Shift by up to so many pixels.")] = _AUGMENTATION.shift_px
    flip: Annotated[
        bool,
        Option(
            "--flip",
            help="Mirror, too. A mirrored heart has its right ventricle on the wrong side: not for what lies "
            "by territory.",
        ),
    ] = _AUGMENTATION.flip
    gain: Annotated[float, Option(help="Brighten or darken by up to this share.")] = _AUGMENTATION.gain
    offset: Annotated[float, Option(help="Lift or lower by up to this share of white.")] = (
        _AUGMENTATION.offset
    )
    gamma: Annotated[float, Option(help="Change contrast by up to this exponent.")] = _AUGMENTATION.gamma
    roll: Annotated[
        bool, Option("--roll", help="Begin the beat at any phase; the first is then no end-diastole.")
    ] = _AUGMENTATION.roll


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """What the network sees of a study; part of the model."""

    phases: Annotated[int, Option(help="Phases of the network's grid.")] = _RECIPE.phases
    slices: Annotated[int, Option(help="Slices of the network's grid.")] = _RECIPE.slices
    pixels: Annotated[int, Option(help="Side of the square about the heart.")] = _RECIPE.pixels
    spacing_mm: Annotated[float, Option(help="Size of its pixels.")] = _RECIPE.spacing_mm
    min_slices: Annotated[int, Option(help="Refuse stacks of fewer slices.")] = _RECIPE.min_slices


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What the bundle is and says."""

    threshold_rule: Annotated[
        str,
        Option(help="On the validation part: youden, or for example sensitivity=0.9 or specificity=0.9."),
    ] = _PLAN.threshold_rule
    golden: Annotated[
        str,
        Option(
            help="Studies in the bundle that prove it later: phantom (simulated), validation (two prepared "
            "studies of patients: may they leave?), none."
        ),
    ] = _PLAN.golden
    name: Annotated[str, Option(help="What reports call the model. Default: ARCH.")] = _PLAN.name
    model_version: Annotated[str, Option(help="Its version.")] = _PLAN.version
    about: Annotated[str, Option(help="A sentence on the data, for card and reports.")] = _PLAN.data
    demonstration: Annotated[
        bool, Option("--demonstration", help="Mark it so; what saw a phantom is marked in any case.")
    ] = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Doing:
    """What to do now."""

    resume: Annotated[bool, Option("--resume", help="Go on with the run in --out, to the same result.")] = (
        False
    )
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show studies, groups, parts, parameters and memory; train nothing.")
    ] = False
