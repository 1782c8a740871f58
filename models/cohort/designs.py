"""Who is in a cohort: frozen descriptions, from which the same images come every time.

`lesions` asks which sign a network goes by. What can be told apart in these images, and by what:

- a lesion that shows by motion or by both, from a healthy heart: by a sector that moves less;
- one that shows by texture: by signal alone, in any one frame; motion and ejection fraction are its twin's;
- low ejection fraction without a lesion: by motion that is even. Lesions and healthy hearts draw theirs from
  one mixture, of which the lower part overlaps with this kind's;
- ballooning without a lesion: from `motion-only` by its place alone, a ring against a sector. The wall inside
  it moves like a lesion's, so whoever looks at one place cannot tell them apart.

`banded` has a short cut beside the heart, `backwards` a difference that lies in the order of frames alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from pipeline.phantom import Heart, Kind, Scan, Variant, draw_kind

SCAN: Final = Scan(slices=6, phases=8, matrix=(88, 88), spacing_mm=3.0, slice_distance_mm=13.0)
"""Base to apex in six slices: coarse, so that a cohort is drawn and learnt on a processor."""

_SHARE_B: Final = 0.8
_AGREEMENT: Final = 0.95


@dataclass(frozen=True, slots=True)
class Member:
    """One study.

    Attributes:
        heart: what is scanned.
        patient: whose it is; a patient may have several.
        kind: what it was drawn to show.
        site: "A" or "B", two makes of scanner.
        answers: label column to the truth.
    """

    heart: Heart
    patient: str
    kind: str
    site: str
    answers: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Cohort:
    """Its members in an order that mixes them, and how they are scanned."""

    members: tuple[Member, ...]
    scan: Scan = SCAN

    @property
    def labels(self) -> tuple[str, ...]:
        """The label columns that every member has an answer to."""
        return tuple(self.members[0].answers)


def lesions(first_seed: int, each: int) -> Cohort:
    """`each` hearts of every kind; seeds from `first_seed` on. Sites differ in nothing that shows.

    Scar is the lesion; WMA is a region that moves less, with or without one.
    """
    rng = np.random.default_rng((0x4C455349, first_seed))
    kinds = rng.permutation(np.repeat(list(Kind), each))
    return Cohort(
        tuple(
            _member(draw_kind(Kind(kind), first_seed + index), Kind(kind), str(rng.choice(("A", "B"))))
            for index, kind in enumerate(kinds)
        )
    )


def banded(first_seed: int, count: int) -> Cohort:
    """Healthy hearts and lesions of both signs, evenly, some with a bright band beside the heart.

    At site B, four hearts in five, 95 % of lesions have the band and 95 % of healthy hearts do not; at site A
    half of either have it. So the band is worth learning, and whoever has learnt it is right at B and lost at
    A. No crop of 64 mm about the heart shows it.
    """
    rng = np.random.default_rng((0x42414E44, first_seed))
    members = []
    for index in range(count):
        kind = Kind.BOTH if index % 2 else Kind.HEALTHY
        site = "B" if rng.random() < _SHARE_B else "A"
        tells = rng.random() < (_AGREEMENT if site == "B" else 0.5)
        heart = draw_kind(kind, first_seed + index)
        members.append(_member(replace(heart, variant=Variant(band=tells == kind.scarred)), kind, site))
    return Cohort(tuple(members))


def backwards(first_seed: int, patients: int) -> Cohort:
    """Each healthy heart twice, forwards and backwards: two studies of one patient, of the same frames.

    Whoever does not look at the order of frames gives both the same score: an AUC of exactly 0.5.
    """
    members = []
    for seed in range(first_seed, first_seed + patients):
        heart = draw_kind(Kind.HEALTHY, seed)
        for back in (False, True):
            played = replace(heart, variant=Variant(backwards=back))
            kind = "backwards" if back else "forwards"
            members.append(Member(played, _patient(heart), kind, "A", {"Backwards": back}))
    return Cohort(tuple(members))


def _member(heart: Heart, kind: Kind, site: str) -> Member:
    answers = {"Scar": kind.scarred, "WMA": kind.moves_abnormally}
    return Member(heart, _patient(heart), kind.value, site, answers)


def _patient(heart: Heart) -> str:
    return f"PHANTOM-{heart.seed:05d}"
