"""What a network said about studies whose answer is known: all that a judgement rests on."""

from collections.abc import Mapping, Sized
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from models.errors import NotJudged


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Probabilities beside the truth, one per study.

    Attributes:
        probability: (study,) float64 in 0..1.
        label: (study,) True where the answer is yes.
        label_name: what was asked, for example "Scar".
        patients: whose study each is; what is drawn again to say how sure a figure is.
        studies: Study Instance UID of each; two networks are compared on the same ones.
        threshold: the operating point, 0..1; a probability that reaches it is called positive.
        groups: properties that results are told apart by: a value per study, empty where it is not known.
    """

    probability: NDArray[np.float64]
    label: NDArray[np.bool_]
    label_name: str
    patients: tuple[str, ...]
    studies: tuple[str, ...]
    threshold: float
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns: tuple[Sized, ...] = (self.label, self.patients, self.studies, *self.groups.values())
        if {len(column) for column in columns} != {len(self.probability)}:
            raise ValueError("one probability, label, patient, study and value of each group per study")
        if not ((self.probability >= 0) & (self.probability <= 1)).all() or not 0 <= self.threshold <= 1:
            raise ValueError("probabilities and the threshold lie in 0..1")

    def __len__(self) -> int:
        return len(self.probability)

    @property
    def positive(self) -> NDArray[np.bool_]:
        """(study,) whether the probability reaches the operating point."""
        return self.probability >= self.threshold

    @property
    def patient_count(self) -> int:
        """How many patients stand behind the studies."""
        return len(set(self.patients))

    def answered(self, probability: NDArray[np.float64], threshold: float) -> "Scored":
        """The same studies, answered by somebody else."""
        return replace(self, probability=probability, threshold=threshold)

    def require_both(self) -> None:
        """Raises NotJudged unless there are studies of both answers."""
        if not len(self):
            raise NotJudged("there are no studies to judge by")
        if self.label.all() or not self.label.any():
            only = "yes" if self.label.all() else "no"
            raise NotJudged(
                f"every one of the {len(self)} studies says {only} to {self.label_name}: "
                "both answers are needed to judge by"
            )
