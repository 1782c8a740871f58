"""A network is asked about labelled studies, one at a time, as the node asks it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ContractViolation
from models.evaluation.scored import Scored
from models.examples import Cines, Examples
from models.manifest import Manifest

Answer = Callable[[NDArray[np.float32]], tuple[float, Any]]
"""(phase, slice, row, column) to P(yes) and whatever else, as `models.network.Network` does."""
Tell = Callable[[], None]


def ask(answer: Answer, manifest: Manifest, examples: Examples, tell: Tell = lambda: None) -> Scored:
    """What the network of `manifest`, loaded as `answer`, says about `examples`; `tell` hears of each study.

    Raises ContractViolation if the studies were prepared by another recipe than the network's, and what
    `answer` raises.
    """
    if examples.recipe.sha256 != manifest.preprocessing.sha256:
        raise ContractViolation(
            f"the studies were not prepared as {manifest.name} {manifest.version} was taught to see them"
        )
    probability = np.empty(len(examples))
    for index in range(len(examples)):
        probability[index], _ = answer(np.asarray(examples.cine[index], np.float32))
        tell()
    return scored(examples, probability, manifest.threshold)


def part_of(examples: Examples, places: NDArray[np.int64]) -> Examples:
    """Some of the examples, for example a split's test part, in the order of `places`."""
    chosen = places.tolist()
    return replace(
        examples,
        cine=_Some(examples.cine, chosen),
        label=examples.label[places],
        patients=tuple(examples.patients[place] for place in chosen),
        studies=tuple(examples.studies[place] for place in chosen),
        groups={name: tuple(values[place] for place in chosen) for name, values in examples.groups.items()},
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Some:
    """Cines at some places of others, read when they are asked for."""

    whole: Cines
    places: Sequence[int]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.places), *self.whole.shape[1:])

    def __getitem__(self, index: int, /) -> Any:
        return self.whole[self.places[index]]


def scored(examples: Examples, probability: NDArray[np.float64], threshold: float) -> Scored:
    """Probabilities beside what is known of the studies."""
    return Scored(
        probability=probability,
        label=np.asarray(examples.label, np.bool_),
        label_name=examples.label_name,
        patients=tuple(examples.patients),
        studies=tuple(examples.studies),
        threshold=threshold,
        groups={name: tuple(values) for name, values in examples.groups.items()},
    )
