"""Hearts with one kind of lesion, or with none and something that resembles one.

A lesion is large, four to six segments of one coronary territory, and shows by motion, by signal, or by both;
each sign is as strong alone as beside the other. What a network could go by instead has a kind of its own,
without the lesion.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np

from pipeline.phantom.heart import Heart, Scar, draw_heart
from pipeline.phantom.segments import grow
from pipeline.phantom.variant import Variant

_BALLOON: Final = (13, 14, 15, 16, 17)
_SHARE_PER_SEGMENT: Final = 0.012
_SEVERITY: Final = (0.85, 1.1)


class Kind(StrEnum):
    """What a heart is drawn to show."""

    HEALTHY = "healthy"
    """Neither; one in four with a reduced ejection fraction, as ever."""
    MOTION = "motion-only"
    """A lesion that moves less and looks like any other wall."""
    TEXTURE = "texture-only"
    """A lesion that is brighter; motion and ejection fraction are the healthy heart's of the same seed."""
    BOTH = "both"
    """A lesion that moves less, is thinner and is brighter."""
    LOW_EF = "low-ef"
    """No lesion: the whole ventricle is large and contracts little, evenly."""
    WMA = "wma"
    """No lesion: apical ballooning (Takotsubo), a ring that crosses the borders of the coronary territories.

    It moves as little as a lesion, so that a place of the wall alone does not tell them apart; a lesion is a
    sector of one territory, and this goes all the way round.
    """

    @property
    def scarred(self) -> bool:
        return self in (Kind.MOTION, Kind.TEXTURE, Kind.BOTH)

    @property
    def moves_abnormally(self) -> bool:
        """Whether a region moves less than the rest; one that moves little all over does not count."""
        return self in (Kind.MOTION, Kind.BOTH, Kind.WMA)


def draw_kind(kind: Kind, seed: int) -> Heart:
    """The heart of that kind that `seed` (0 or more) stands for; the rest of it is as `draw_heart` has it."""
    return _DRAWN[kind](seed, np.random.default_rng((0x4B494E44, seed)))


def _healthy(seed: int, rng: np.random.Generator) -> Heart:
    return draw_heart(seed, scar=False)


def _motion(seed: int, rng: np.random.Generator) -> Heart:
    return _scarred(seed, replace(_lesion(rng), thinning=0.0, brightening=0.0))


def _texture(seed: int, rng: np.random.Generator) -> Heart:
    return _scarred(seed, replace(_lesion(rng), thinning=0.0, severity=0.0))


def _both(seed: int, rng: np.random.Generator) -> Heart:
    return _scarred(seed, _lesion(rng))


def _lesion(rng: np.random.Generator) -> Scar:
    return Scar(
        segments=grow(rng, int(rng.integers(4, 7))),
        severity=float(rng.uniform(*_SEVERITY)),
        thinning=float(rng.uniform(0.0, 0.35)),
        brightening=float(rng.uniform(0.4, 0.7)),
    )


def _scarred(seed: int, scar: Scar) -> Heart:
    """A healthy heart with that scar; the ejection fraction suffers as the motion does."""
    return _weakened(replace(draw_heart(seed, scar=False), scar=scar), len(scar.segments) * scar.severity)


def _low_ef(seed: int, rng: np.random.Generator) -> Heart:
    heart, ejection = draw_heart(seed, scar=False), float(rng.uniform(0.20, 0.35))
    larger = (1 + 1.1 * (0.5 - ejection)) / (1 + 1.1 * max(0.0, 0.5 - heart.ejection_fraction))
    return replace(
        heart,
        ejection_fraction=ejection,
        edv_ml=heart.edv_ml * larger,
        length_mm=heart.length_mm * larger ** (1 / 3),
        shortening=heart.shortening * ejection / heart.ejection_fraction,
    )


def _ballooning(seed: int, rng: np.random.Generator) -> Heart:
    weakness = float(rng.uniform(*_SEVERITY))
    heart = replace(draw_heart(seed, scar=False), variant=Variant(weak=_BALLOON, weakness=weakness))
    return _weakened(heart, len(_BALLOON) * weakness)


def _weakened(heart: Heart, segments: float) -> Heart:
    """What the rest of the wall cannot make up for, as for every scar: a point for each still segment."""
    lost = _SHARE_PER_SEGMENT * segments
    return replace(heart, ejection_fraction=max(0.22, heart.ejection_fraction - lost))


_DRAWN: Final[Mapping[Kind, Callable[[int, np.random.Generator], Heart]]] = MappingProxyType(
    {
        Kind.HEALTHY: _healthy,
        Kind.MOTION: _motion,
        Kind.TEXTURE: _texture,
        Kind.BOTH: _both,
        Kind.LOW_EF: _low_ef,
        Kind.WMA: _ballooning,
    }
)
