"""What came of a trial, on the disk: from it the tables are made, without any network."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.evaluation.scored import Scored

_NAME: Final = "outcome.json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Answers to the test part, and what they cost.

    Attributes:
        trial: its name.
        architecture, balance, label: what was trained, how, on what.
        parameters: of the network.
        epochs, best_epoch: that were trained, and whose weights were kept.
        seconds: that training took.
        threshold: chosen on the validation part.
        sizes: studies in the training, validation and test part.
        grid: (phases, slices, rows, columns) that the network sees.
        spacing_mm: of its pixels.
        made_with: commit, hardware, seed and whatever else tells how the run was done.
        studies, patients: of the test part.
        answers: the truth about each of them.
        probability: what the network said.
        groups: "kind", "site" and "band" of each.
        measures: simple measures of each, by name.
    """

    trial: str
    architecture: str
    balance: str
    label: str
    parameters: int
    epochs: int
    best_epoch: int
    seconds: float
    threshold: float
    sizes: tuple[int, int, int]
    grid: tuple[int, int, int, int]
    spacing_mm: float
    made_with: Mapping[str, str]
    studies: tuple[str, ...]
    patients: tuple[str, ...]
    answers: tuple[bool, ...]
    probability: tuple[float, ...]
    groups: Mapping[str, tuple[str, ...]]
    measures: Mapping[str, tuple[float, ...]]

    def scored(self) -> Scored:
        """For `models.evaluation`."""
        return Scored(
            probability=np.array(self.probability),
            label=np.array(self.answers),
            label_name=self.label,
            patients=tuple(self.patients),
            studies=tuple(self.studies),
            threshold=self.threshold,
            groups={name: tuple(values) for name, values in self.groups.items()},
        )


def write_outcome(outcome: Outcome, folder: Path) -> None:
    """Into `folder`, whole or not at all."""
    beside = folder / f"{_NAME}.part"
    beside.write_text(json.dumps(asdict(outcome), indent=1) + "\n", encoding="utf-8")
    beside.replace(folder / _NAME)


def read_outcome(folder: Path) -> Outcome | None:
    """None where the trial is not done."""
    if not (folder / _NAME).exists():
        return None
    given: dict[str, Any] = json.loads((folder / _NAME).read_text(encoding="utf-8"))
    return Outcome(**given)
