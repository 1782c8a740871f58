"""Does the network serve everybody alike? Figures by sex, age, scanner, or what else is known.

A group of fewer than 30 patients is named and counted, and nothing is concluded about it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import NotJudged
from models.evaluation.bootstrap import Estimate, Resampling, estimated
from models.evaluation.figures import figures_of
from models.evaluation.scored import Scored

FEWEST_PATIENTS: Final = 30
TOO_FEW: Final = "too few to conclude"
BY_GROUP: Final = ("auc", "sensitivity", "specificity", "brier", "ece")
GAPS: Final = ("auc", "sensitivity", "specificity")
NOT_KNOWN: Final = "not known"

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Group:
    """The studies with one value of one property; the value is empty where it is not known.

    `figures` are those of `BY_GROUP`; there are none where the patients are too few.
    """

    of: str
    value: str
    studies: int
    patients: int
    positives: int
    figures: Mapping[str, Estimate]

    @property
    def name(self) -> str:
        return self.value or NOT_KNOWN

    @property
    def conclusive(self) -> bool:
        return bool(self.figures)


@dataclass(frozen=True, slots=True)
class Gap:
    """By how much a figure of the best group of a property exceeds that of the worst.

    The two were chosen by looking, so that some gap is always found; its interval says whether to believe it.
    """

    of: str
    figure: str
    best: str
    worst: str
    difference: Estimate


def groups_of(scored: Scored, resampling: Resampling) -> tuple[Group, ...]:
    """Every group of every property, in the order of their names."""
    return tuple(
        _group(scored, of, value, resampling)
        for of, values in scored.groups.items()
        for value in sorted(set(values), key=lambda value: (not value, value))
    )


def gaps_of(scored: Scored, groups: Sequence[Group], resampling: Resampling) -> tuple[Gap, ...]:
    """The gap of each figure of `GAPS` between the groups of a property of which something can be said."""
    return tuple(
        gap
        for of, figure in product(scored.groups, GAPS)
        for gap in _gap(scored, of, figure, groups, resampling)
    )


def require_groups(scored: Scored, wanted: Sequence[str]) -> None:
    """Raises NotJudged unless each property that is asked for tells at least two groups apart."""
    for of in wanted:
        if of not in scored.groups:
            known = ", ".join(scored.groups) or "none"
            raise NotJudged(f"the studies have no property {of!r} to group by (known: {known})")
        if len(found := set(scored.groups[of])) < 2:
            only = next(iter(found), "") or NOT_KNOWN
            raise NotJudged(f"every study has the same {of} ({only}): there are no groups to tell apart")


def _group(scored: Scored, of: str, value: str, resampling: Resampling) -> Group:
    member = _members(scored, of, value)
    patients = len({patient for patient, one in zip(scored.patients, member, strict=True) if one})
    figures: Mapping[str, Estimate] = {}
    if patients >= FEWEST_PATIENTS:
        figures = estimated(_figures_within(scored, member), scored.patients, resampling)
    yes = int((scored.label & member).sum())
    return Group(of, value, int(member.sum()), patients, yes, figures)


def _gap(
    scored: Scored, of: str, figure: str, groups: Sequence[Group], resampling: Resampling
) -> Iterator[Gap]:
    told = [one for one in groups if one.of == of and one.conclusive and one.figures[figure].known]
    if len(told) < 2:
        return
    best, worst = (choose(told, key=lambda group: group.figures[figure].value) for choose in (max, min))
    high, low = (_figures_within(scored, _members(scored, of, group.value)) for group in (best, worst))

    def difference(weights: Array) -> dict[str, Array]:
        return {figure: high(weights)[figure] - low(weights)[figure]}

    found = estimated(difference, scored.patients, resampling)
    yield Gap(of, figure, best.name, worst.name, found[figure])


def _members(scored: Scored, of: str, value: str) -> NDArray[np.bool_]:
    return np.array([one == value for one in scored.groups[of]])


def _figures_within(scored: Scored, member: NDArray[np.bool_]) -> Callable[[Array], dict[str, Array]]:
    def figures(weights: Array) -> dict[str, Array]:
        found = figures_of(scored, weights * member)
        return {name: found[name] for name in BY_GROUP}

    return figures
