"""Groups that are rarer or harder, given their due: by sampling, by weights, or by Group DRO.

Counts are those of the whole training part, never of a batch. `group` names a property of the patient or the
scan; without one, the two answers are the groups, which is the remedy for rare disease.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import TrainingRefused
from models.examples import Examples

DRO_STEP: Final = 0.01
"""How fast Group DRO turns to the worse group (eta)."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The groups of some examples: `of` (example,) is the place of each in `names`."""

    names: tuple[str, ...]
    of: Integers

    @property
    def counts(self) -> Integers:
        """(group,) examples in each."""
        return np.bincount(self.of, minlength=len(self.names))


def groups_of(
    examples: Examples, indices: Integers, group_by: str, *, several: bool, each_answer: bool = False
) -> Groups:
    """The groups of the examples at `indices`; with `each_answer`, every answer in a group is one of its own.

    Raises TrainingRefused if nothing is known by that name, or with `several` if all are of one group.
    """
    if group_by and group_by not in examples.groups:
        known = ", ".join(examples.groups) or "none"
        raise TrainingRefused(f"no group is called {group_by!r}; known: {known}")
    values = examples.groups[group_by] if group_by else [str(bool(answer)) for answer in examples.label]
    told = [values[int(index)] or "unknown" for index in indices]
    if each_answer:
        told = [f"{one}, {bool(examples.label[index])}" for one, index in zip(told, indices, strict=True)]
    names, of = np.unique(told, return_inverse=True)
    if several and len(names) < 2:
        what = group_by or examples.label_name
        raise TrainingRefused(
            f"all training studies are of one group ({what}: {names[0]}): nothing to balance"
        )
    return Groups(tuple(map(str, names)), of.astype(np.int64))


def group_weights(counts: Integers) -> Floats:
    """(group,) w_g = (N / n_g) / sum over groups of (N / n_h): they sum to 1."""
    inverse = counts.sum() / counts
    weights: Floats = inverse / inverse.sum()
    return weights


def even_weights(of: Integers, label: NDArray[np.bool_]) -> Floats:
    """(example,) w(g, y) = P(y) / (G_y P(g, y)), of the G_y groups that have the answer y; their mean is 1.

    Weighted so, every group weighs the same in each answer, and the answers are as frequent as they were. It
    is Kamiran and Calders' P(g) P(y) / P(g, y) (Knowl. Inf. Syst. 33, 2012), which makes group and answer
    independent, times 1 / P(g): where they are independent already, theirs does nothing for a rare group.
    """
    _same_length(of, label)
    weights = np.empty(len(of))
    for answer in (False, True):
        groups = np.unique(of[label == answer])
        for group in groups:
            both = (of == group) & (label == answer)
            weights[both] = (label == answer).mean() / (len(groups) * both.mean())
    return weights


def reweighed(groups: Groups, label: NDArray[np.bool_], group_by: str) -> Floats:
    """(example,) weights: even in each answer for a property, by inverse frequency for the answer itself."""
    return even_weights(groups.of, label) if group_by else group_weights(groups.counts)[groups.of]


def balanced_loss(
    balance: str, losses: Floats, groups: Groups, label: NDArray[np.bool_], group_by: str
) -> float:
    """The mean of `losses` (example,) of any part, as a training with `balance` weighs its own.

    None: every example counts once. Oversampling: every group does. Reweighing: as its weights say, computed
    of this part's own counts. Group DRO: the worst group alone counts, which is how Sagawa et al. (ICLR 2020)
    choose. Without this, the epoch that is kept would be the one that serves the largest group best.
    """
    if balance == "none":
        return float(losses.mean())
    if balance == "reweigh":
        weights = reweighed(groups, label, group_by)
        return weighted_mean(losses, weights / weights.mean())
    means = np.bincount(groups.of, losses, len(groups.names)) / groups.counts
    return float(means.max() if balance == "groupdro" else means.mean())


def per_group(batch: int, groups: int) -> int:
    """How many of each group a batch holds: round(batch / groups). Raises TrainingRefused below 1."""
    if batch < groups:
        raise TrainingRefused(f"a batch of {batch} cannot hold {groups} groups: --batch {groups} or more")
    return round(batch / groups)


def stratified(groups: Groups, batch: int, steps: int, rng: np.random.Generator) -> Integers:
    """(step, example) places: every batch holds equally many of each group, drawn with replacement."""
    each = per_group(batch, len(groups.names))
    members = [np.flatnonzero(groups.of == group) for group in range(len(groups.names))]
    drawn = [rng.choice(own, (steps, each)) for own in members]
    return np.concatenate(drawn, axis=1)


def next_shares(shares: Floats, losses: Floats, step: float = DRO_STEP) -> Floats:
    """(group,) Group DRO's q after one batch: q_g exp(eta L_g), made to sum to 1 again."""
    _same_length(shares, losses)
    grown = shares * np.exp(step * losses)
    renewed: Floats = grown / grown.sum()
    return renewed


def weighted_mean(losses: Floats, weights: Floats) -> float:
    """Mean of w_i l_i. Both are (example,): (B,) times (B, 1) would be (B, B), and group-blind."""
    _same_length(losses, weights)
    return float((losses * weights).mean())


def _same_length(one: NDArray[np.generic], other: NDArray[np.generic]) -> None:
    if one.ndim != 1 or one.shape != other.shape:
        raise ValueError(f"one value for each wanted, not {one.shape} and {other.shape}")
