"""What happened so far, and what follows from it: the next learning rate, the best epoch, the end.

All of it is a function of the plan and the epochs' records, so a run that was cut off goes on as if it had
not been. One quantity decides everything: the validation loss, in which studies weigh as in training.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

from models.training.plan import TrainingPlan

HISTORY: Final = "history.csv"
LOWEST: Final = 0.02  # share of the first rate that a cosine ends at
FALL: Final = 0.3  # what a plateau multiplies the rate by


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training part, from 1.

    `loss` is the mean of its steps' (weighted) losses, `val_loss` the cross-entropy of the validation part,
    balanced likewise, `val_auc` its area under the ROC curve, `seconds` what it took.
    """

    epoch: int
    rate: float
    loss: float
    val_loss: float
    val_auc: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """One batch, from 1; for whoever watches."""

    epoch: int
    step: int
    steps: int
    loss: float


@dataclass(frozen=True, slots=True)
class Stage:
    """What is done after the last epoch; for whoever watches."""

    doing: str


News = Step | Epoch | Stage


@dataclass(frozen=True, slots=True)
class Course:
    """The epochs so far, oldest first."""

    epochs: tuple[Epoch, ...] = ()

    @property
    def best(self) -> Epoch | None:
        """The epoch of the lowest validation loss, the first of equals."""
        return min(self.epochs, key=lambda epoch: epoch.val_loss, default=None)

    def ended(self, plan: TrainingPlan) -> bool:
        """Whether no further epoch is to come."""
        best = self.best
        return len(self.epochs) >= plan.epochs or (
            best is not None and len(self.epochs) - best.epoch >= plan.patience
        )

    def next_rate(self, plan: TrainingPlan) -> float:
        """The learning rate of the next epoch."""
        if plan.schedule == "cosine":
            turned = (1 + math.cos(math.pi * len(self.epochs) / plan.epochs)) / 2
            return plan.rate * (LOWEST + (1 - LOWEST) * turned)
        return plan.rate * FALL ** self._plateaus(max(1, plan.patience // 3))

    def _plateaus(self, patience: int) -> int:
        """How often `patience` epochs in a row brought nothing lower."""
        found, waited, lowest = 0, 0, math.inf
        for epoch in self.epochs:
            waited = 0 if epoch.val_loss < lowest else waited + 1
            lowest = min(lowest, epoch.val_loss)
            if waited == patience:
                found, waited = found + 1, 0
        return found


def write_history(epochs: Sequence[Epoch], path: Path) -> None:
    """A row per epoch, as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, [field.name for field in fields(Epoch)])
        rows.writeheader()
        rows.writerows(asdict(epoch) for epoch in epochs)


def read_history(path: Path) -> tuple[Epoch, ...]:
    """What `write_history` wrote."""
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(
            Epoch(int(row.pop("epoch")), **{name: float(value) for name, value in row.items()})
            for row in csv.DictReader(file)
        )
