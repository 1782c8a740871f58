"""Hearts with one kind of lesion, or with none and something that resembles one.

A lesion shows by motion, by signal, or by both; each sign is as strong alone as beside the other. What a
network could go by instead of the lesion has a kind of its own, without the lesion.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np

from pipeline.phantom.heart import Heart, Scar, draw_heart
from pipeline.phantom.variant import Variant

_BALLOON: Final = (13, 14, 15, 16, 17)
_POINTS_PER_SEGMENT: Final = 0.012


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
    heart = draw_heart(seed, scar=True)
    return replace(heart, scar=replace(_scar(heart), thinning=0.0, brightening=0.0))


def _texture(seed: int, rng: np.random.Generator) -> Heart:
    """A healthy heart, painted on."""
    scar = replace(_scar(draw_heart(seed, scar=True)), severity=0.0, thinning=0.0)
    return replace(draw_heart(seed, scar=False), scar=replace(scar, brightening=_brightening(rng)))


def _both(seed: int, rng: np.random.Generator) -> Heart:
    heart = draw_heart(seed, scar=True)
    return replace(heart, scar=replace(_scar(heart), brightening=_brightening(rng)))


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
    """Costs as many points of the ejection fraction as a lesion of the same extent."""
    heart, weakness = draw_heart(seed, scar=False), float(rng.uniform(0.65, 1.05))
    lost = _POINTS_PER_SEGMENT * len(_BALLOON) * weakness
    return replace(
        heart,
        ejection_fraction=max(0.22, heart.ejection_fraction - lost),
        variant=Variant(weak=_BALLOON, weakness=weakness),
    )


def _brightening(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.4, 0.7))


def _scar(heart: Heart) -> Scar:
    assert heart.scar is not None
    return heart.scar


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
