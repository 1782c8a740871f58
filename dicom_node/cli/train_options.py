"""The options of `dicom-node train`, by what they are about."""

import shlex
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from typer import Argument, Option

from dicom_node.cli.option_groups import options_of
from models.errors import TrainingRefused
from models.registry import ARCHITECTURES
from models.training.augment import Augmentation
from models.training.groups import GROUPS
from models.training.plan import TrainingPlan
from pipeline.preprocessing import Preprocessing

T = TypeVar("T")

_PLAN: Final = TrainingPlan()
_AUGMENTATION: Final = Augmentation()
_RECIPE: Final = Preprocessing()


@dataclass(frozen=True, kw_only=True, slots=True)
class Data:
    """What is learned, and from which studies."""

    architecture: Annotated[
        str, Argument(metavar="ARCH", help=f"The network: {', '.join(ARCHITECTURES)}.", show_default=False)
    ]
    labels: Annotated[
        Path,
        Option(
            help="CSV with study_instance_uid, patient_id and a column per answer (1/0, yes/no, true/false, "
            "present/absent)."
        ),
    ]
    label_column: Annotated[
        str,
        Option(help="The column to learn, for example Scar, which is not WMA: models and reports name it."),
    ]
    out: Annotated[
        Path, Option(help="The run's folder: bundle, logs, and the state to resume from.", file_okay=False)
    ]
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
            help="none; oversample (equally many of each group in a batch); reweigh (by frequency); groupdro "
            "(the worse a group's loss, the more it counts)."
        ),
    ] = _PLAN.balance
    group_by: Annotated[
        str,
        Option(
            help="The groups: sex, age-band, manufacturer or field-strength, from the headers, or a column "
            "of the labels. Default: the two answers themselves, the remedy for rare disease."
        ),
    ] = ""


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


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that was typed."""

    data: Data
    parts: Parts
    teaching: Teaching
    fairness: Fairness
    variation: Variation
    grid: Grid
    outcome: Outcome
    doing: Doing

    @property
    def plan(self) -> TrainingPlan:
        """The training that is asked for. Raises TrainingRefused if it cannot be."""
        return TrainingPlan(
            architecture=self.data.architecture,
            **_values(self.teaching),
            balance=self.fairness.balance,
            group_by=self.group_by,
            augmentation=_made(Augmentation, self.variation),
            threshold_rule=self.outcome.threshold_rule,
            golden=self.outcome.golden,
            name=self.outcome.name,
            version=self.outcome.model_version,
            data=self.outcome.about,
            demonstration=self.outcome.demonstration,
            command=self.command,
        )

    @property
    def recipe(self) -> Preprocessing:
        """How studies are prepared. Raises TrainingRefused if they cannot be so."""
        return _made(Preprocessing, self.grid)

    @property
    def group_by(self) -> str:
        """The property to balance by: one of the headers', or a column of the labels."""
        of_header = self.fairness.group_by.replace("-", "_")
        return of_header if of_header in GROUPS else self.fairness.group_by

    @property
    def group_column(self) -> str:
        """The column of the labels that is needed for it; empty if none is."""
        return "" if self.group_by in GROUPS else self.group_by

    @property
    def command(self) -> str:
        """What repeats this training: all that shapes it and is not as usual, no folder of this machine."""
        words = ["dicom-node train", self.data.architecture]
        for name, _, field in options_of(Wanted):
            value = getattr(getattr(self, name), field.name)
            if field.name not in _NOT_SHAPING and value != field.default:
                words += [f"--{field.name.replace('_', '-')}", *_word(value)]
        return " ".join(words)


_NOT_SHAPING: Final = ("architecture", "out", "cache", "workers", "resume", "dry_run")


def _made(kind: type[T], group: Any) -> T:
    try:
        return kind(**_values(group))
    except ValueError as error:
        raise TrainingRefused(str(error)) from error


def _values(group: Any) -> dict[str, Any]:
    return {field.name: getattr(group, field.name) for field in fields(group)}


def _word(value: Any) -> list[str]:
    if isinstance(value, bool):
        return []
    return [shlex.quote(value.name if isinstance(value, Path) else str(value))]
