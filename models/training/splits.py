"""Who is learned from, chosen by and measured on: by patient, both classes in every part, drawn by a seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import TrainingRefused
from models.examples import Examples

PARTS: Final = ("train", "validation", "test")
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Indices of the examples in each part, ascending; `told` is one clause on how it came about."""

    train: Indices
    validation: Indices
    test: Indices
    told: str = ""

    def check(self, examples: Examples) -> None:
        """Raises TrainingRefused if a patient is in two parts, or a part cannot do its work."""
        owner: dict[str, str] = {}
        for part in PARTS:
            indices = getattr(self, part)
            for index in indices:
                patient = examples.patients[int(index)]
                if owner.setdefault(patient, part) != part:
                    raise TrainingRefused(
                        f"a patient's studies are in two parts, {owner[patient]} and {part}: what is "
                        f"measured would be remembered, not recognised (study {examples.studies[int(index)]})"
                    )
            if (part != "test" or len(indices)) and len(np.unique(examples.label[indices])) < 2:
                raise TrainingRefused(
                    f"the {part} part has {len(indices)} studies, and not both answers to "
                    f"{examples.label_name}: label more studies, or make fewer folds"
                )
        if len(np.unique(np.concatenate([self.train, self.validation, self.test]))) != sum(self.sizes):
            raise TrainingRefused("a study is in a part twice")

    @property
    def sizes(self) -> tuple[int, int, int]:
        return len(self.train), len(self.validation), len(self.test)


def draw_split(examples: Examples, *, folds: int = 5, fold: int = 1, seed: int = 1) -> Split:
    """Fold `fold` (from 1) of `folds` is the test part, the next one the validation part, the rest trains.

    Patients are dealt, not studies; those with any positive study and the others apart, so that every fold
    has its share of both. Whatever order the examples come in, the same seed deals the same.

    Raises TrainingRefused if there are too few patients for that.
    """
    if folds < 3:
        raise TrainingRefused("a split needs at least 3 folds: one to measure, one to choose, one to train")
    if not 1 <= fold <= folds:
        raise TrainingRefused(f"fold {fold} is none of the folds 1 to {folds}")
    dealt = _dealt(examples, folds, seed)
    held = np.array([dealt[patient] for patient in examples.patients])
    return split_by_fold(examples, held, folds=folds, fold=fold, told=f"dealt by seed {seed}")


def split_by_fold(examples: Examples, held: Indices, *, folds: int, fold: int, told: str) -> Split:
    """As `draw_split` for folds that are known: `held` (example,) counts them from 0. Raises as it does."""
    test, validation = fold - 1, fold % folds
    split = Split(
        train=np.flatnonzero((held != test) & (held != validation)),
        validation=np.flatnonzero(held == validation),
        test=np.flatnonzero(held == test),
        told=f"fold {fold} of {folds}, by patient, {told}",
    )
    split.check(examples)
    return split


def _dealt(examples: Examples, folds: int, seed: int) -> dict[str, int]:
    positive = {patient for patient, label in zip(examples.patients, examples.label, strict=True) if label}
    others = set(examples.patients) - positive
    rng = np.random.default_rng((0x466F, seed))
    upwards = _in_turn(sorted(positive), range(folds), rng)
    return upwards | _in_turn(sorted(others), range(folds - 1, -1, -1), rng)


def _in_turn(patients: Sequence[str], folds: Sequence[int], rng: np.random.Generator) -> dict[str, int]:
    shuffled = rng.permutation(len(patients))
    return {patients[int(who)]: folds[turn % len(folds)] for turn, who in enumerate(shuffled)}
