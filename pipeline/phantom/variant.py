"""What sets a simulated heart apart beside its scar: what cohorts confound a network with."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variant:
    """By default nothing.

    Attributes:
        weak: AHA segments that move less although they are not scarred.
        weakness: share of the inward motion lost there, as a scar's `severity`.
        band: whether a bright band of fat lies in the chest beside the heart, 76 to 92 mm from its axis.
        backwards: whether the images play the cycle backwards from the R wave.
    """

    weak: tuple[int, ...] = ()
    weakness: float = 0.0
    band: bool = False
    backwards: bool = False
