"""Answers made up for the tests of judging."""

from collections.abc import Mapping, Sequence

import numpy as np

from models.evaluation.bootstrap import Resampling
from models.evaluation.scored import Scored

FEW = Resampling(count=200, seed=1)


def answers(
    probability: Sequence[float],
    label: Sequence[int],
    *,
    patients: Sequence[str] | None = None,
    threshold: float = 0.5,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> Scored:
    """Scored studies; each of another patient unless it is said whose they are."""
    names = tuple(f"P{number}" for number in range(len(label)))
    return Scored(
        probability=np.asarray(probability, float),
        label=np.asarray(label, bool),
        label_name="Scar",
        patients=names if patients is None else tuple(patients),
        studies=tuple(f"1.2.{number}" for number in range(len(label))),
        threshold=threshold,
        groups={name: tuple(values) for name, values in (groups or {}).items()},
    )


def many(count: int, *, seed: int = 1, shift: float = 1.5, per_patient: int = 1) -> Scored:
    """`count` studies, every second of them ill, that a mediocre network tells apart."""
    rng = np.random.default_rng(seed)
    label = np.arange(count) // per_patient % 2 == 1
    logit = rng.normal(0, 1, count) + shift * (label - 0.5)
    patients = [f"P{number // per_patient}" for number in range(count)]
    return answers(1 / (1 + np.exp(-logit)), label, patients=patients)
