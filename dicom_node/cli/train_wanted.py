"""What `dicom-node train` was asked for, as a plan, a recipe and a command that repeats it."""

import shlex
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, TypeVar

from dicom_node.cli.option_groups import options_of
from dicom_node.cli.train_options import (
    Data,
    Doing,
    Fairness,
    Grid,
    Outcome,
    Parts,
    Sources,
    Teaching,
    Variation,
)
from models.errors import TrainingRefused
from models.training.augment import Augmentation
from models.training.groups import GROUPS
from models.training.plan import TrainingPlan
from pipeline.preprocessing import Preprocessing

T = TypeVar("T")

_NOT_SHAPING: Final = ("architecture", "out", "cache", "workers", "resume", "dry_run")


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that was typed."""

    data: Data
    sources: Sources
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
            each_answer=self.fairness.each_answer,
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
