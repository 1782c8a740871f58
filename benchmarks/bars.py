"""A bar: what was measured, what it is held against, and how much of that is wanted."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Bar:
    """The runs of both sides, in `unit`; `wanted` bounds the ratio of their medians.

    An absolute bar has `theirs = (1.0,)` and its limit, in `unit`, in `wanted`.
    """

    what: str
    against: str
    unit: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    wanted: float
    better: Literal["higher", "lower"]
    note: str = ""

    @property
    def absolute(self) -> bool:
        """Is this held against a number rather than against another program?"""
        return self.theirs == (1.0,)

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours) / statistics.median(self.theirs)

    @property
    def met(self) -> bool:
        return self.ratio >= self.wanted if self.better == "higher" else self.ratio <= self.wanted


def written(bars: Sequence[Bar]) -> str:
    """As JSON."""
    return json.dumps([asdict(bar) for bar in bars])


def read(text: str) -> list[Bar]:
    """What `written` wrote."""
    return [
        Bar(**{**one, "ours": tuple(one["ours"]), "theirs": tuple(one["theirs"])}) for one in json.loads(text)
    ]
