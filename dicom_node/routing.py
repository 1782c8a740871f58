"""Which destinations a result goes to. Decided once, when it is recorded; the deliveries remember."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from dicom_node.config_sections import Addressee


@dataclass(frozen=True, slots=True)
class Route:
    """One destination, and what it accepts; an empty set holds nothing back."""

    name: str
    kinds: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()

    def takes(self, kind: str, model: str) -> bool:
        """Whether an object of this kind, by the model of this name, goes there.

        A notice is no model's, its name is empty: only its kind counts.
        """
        if self.kinds and kind not in self.kinds:
            return False
        return not self.models or not model or model in self.models


@dataclass(frozen=True, slots=True)
class Routes:
    """Every destination, in the order of config.yaml."""

    all: tuple[Route, ...] = ()

    @classmethod
    def of(cls, destinations: Iterable[Addressee]) -> Self:
        """As they are configured."""
        return cls(
            tuple(
                Route(one.name, frozenset(one.accepts.kinds), frozenset(one.accepts.models))
                for one in destinations
            )
        )

    @classmethod
    def everything_to(cls, *names: str) -> Self:
        """Without any rules."""
        return cls(tuple(Route(name) for name in names))

    @property
    def names(self) -> tuple[str, ...]:
        """What the destinations are called."""
        return tuple(route.name for route in self.all)

    def to(self, kind: str, model: str) -> tuple[str, ...]:
        """The destinations that an object goes to."""
        return tuple(route.name for route in self.all if route.takes(kind, model))

    def reached_by(self, kinds: Iterable[str], model: str) -> tuple[str, ...]:
        """The destinations that at least one object of these kinds goes to."""
        made = set(kinds)
        return tuple(route.name for route in self.all if any(route.takes(kind, model) for kind in made))
