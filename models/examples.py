"""Labelled volumes on a network's grid: what networks are trained on and judged by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.preprocessing import Preprocessing


class Cines(Protocol):
    """Prepared cines by index: a NumPy array, or a data set on disk that reads what is asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(example, phase, slice, row, column)."""
        ...

    def __getitem__(self, index: Any, /) -> Any:
        """The cine of one example, (phase, slice, row, column), float in 0..1."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Studies with a known answer, all prepared by one recipe.

    Attributes:
        cine: the volumes on the recipe's grid.
        label: (example,) True where the answer is yes.
        label_name: what was asked: the label's column, for example "Scar", which is not "WMA".
        patients: whose study each is; one patient's studies never part in a split.
        studies: Study Instance UID of each.
        groups: properties that results are told apart by, for example "sex": one value per example.
        recipe: how the volumes were prepared.
        simulated: whether any of them shows a phantom; what learns from it is a demonstration.
    """

    cine: Cines
    label: NDArray[np.bool_]
    label_name: str
    patients: Sequence[str]
    studies: Sequence[str]
    recipe: Preprocessing
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    simulated: bool = False

    def __post_init__(self) -> None:
        columns = (self.label, self.patients, self.studies, *self.groups.values())
        if {len(column) for column in columns} != {self.cine.shape[0]}:
            raise ValueError("one label, patient, study and value of each group per example")

    def __len__(self) -> int:
        return len(self.label)
