"""How a volume was prepared for a network: a recipe that is part of the model version."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """The recipe a network was trained with.

    `pixels` is the side of the square crop, `phases` and `slices` the size of the network's grid; below
    `min_slices` a stack is refused. The window's ends are percentiles (0..100) over the whole crop.
    """

    spacing_mm: float = 2.0
    pixels: int = 64
    phases: int = 20
    slices: int = 10
    min_slices: int = 6
    low_percentile: float = 0.5
    high_percentile: float = 99.5

    def __post_init__(self) -> None:
        if min(self.spacing_mm, self.pixels, self.phases, self.slices, self.min_slices) <= 0:
            raise ValueError("spacing and sizes are positive")
        if not 0 <= self.low_percentile < self.high_percentile <= 100:
            raise ValueError("the intensity window lies in 0..100")

    def as_json(self) -> str:
        """Canonical JSON: equal text for equal recipes."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Preprocessing":
        """The recipe `as_json` wrote. Raises ValueError if a key is missing, unknown or not a number."""
        given = json.loads(text)
        if not isinstance(given, dict) or set(given) != {field.name for field in fields(cls)}:
            raise ValueError("a preprocessing recipe has exactly the keys this version knows")
        for field in fields(cls):
            wanted: Any = int if field.type is int else (int, float)
            if isinstance(given[field.name], bool) or not isinstance(given[field.name], wanted):
                raise ValueError(f"{field.name} is not a number of the right kind")
        return cls(**given)

    @property
    def sha256(self) -> str:
        """Digest of the canonical JSON."""
        return hashlib.sha256(self.as_json().encode()).hexdigest()
