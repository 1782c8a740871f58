"""Which trainings make up the reference results: who learns, from which cohort, seen through which crop."""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from models.cohort import Cohort, backwards, banded, lesions
from models.training.augment import NONE
from models.training.plan import TrainingPlan
from models.training.splits import Split
from pipeline.preprocessing import Preprocessing

ARCHITECTURES: Final = (
    "stran",
    "spatial",
    "temporal",
    "spatiotemporal",
    "dual-attention",
    "st2d",
    "cnn-lstm",
    "cnn3d",
)
TIGHT: Final = Preprocessing(spacing_mm=4.0, pixels=24, phases=8, slices=6)
"""96 mm about the heart."""
BRIEF_TIGHT: Final = replace(TIGHT, phases=4)
BRIEF_WIDE: Final = replace(TIGHT, phases=4, pixels=48)
"""192 mm: with the chest beside the heart. Half the phases, as it costs four times the pixels."""
BALANCES: Final = (
    ("none", "", False),
    ("reweigh", "site", False),
    ("groupdro", "site", False),
    ("reweigh", "band", False),
    ("groupdro", "band", True),
    ("oversample", "band", True),
)
"""Each remedy, and whose groups it balances: the sites, or the band's, or its with a lesion and without."""

_FIRST_SEEDS: Final = (0, 50_000, 100_000)
_ORDER_FREE: Final = "spatial"
_SEES_ORDER: Final = "spatiotemporal"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything.

    Attributes:
        lesions: of each of the six kinds, in the training, validation and test part.
        banded: hearts of the cohort with the band, likewise.
        backwards: hearts that are played both ways, likewise.
        epochs, patience: the most epochs, and how many without a lower validation loss end it.
    """

    lesions: tuple[int, int, int] = (60, 20, 40)
    banded: tuple[int, int, int] = (200, 60, 600)
    backwards: tuple[int, int, int] = (80, 30, 60)
    epochs: int = 16
    patience: int = 8


@dataclass(frozen=True, slots=True)
class Trial:
    """One training and its test.

    Attributes:
        name: its folder's.
        design: "lesions", "banded" or "backwards".
        label: what is learned.
        plan: how.
        recipe: what the network sees.
    """

    name: str
    design: str
    label: str
    plan: TrainingPlan
    recipe: Preprocessing = field(default=TIGHT)

    @property
    def remedy(self) -> str:
        """How groups are balanced, in words."""
        groups = " and ".join((self.plan.group_by, *["answer"] * self.plan.each_answer))
        return f"{self.plan.balance} by {groups}" if self.plan.group_by else self.plan.balance


def trials(sizes: Sizes, seed: int) -> tuple[Trial, ...]:
    """All of them, the dearest (cnn3d) last; every plan the same but for what is compared."""
    plan = TrainingPlan(
        epochs=sizes.epochs,
        patience=sizes.patience,
        batch=4,
        rate=1e-4,
        seed=seed,
        precision="mixed_bfloat16",
        augmentation=NONE,
        golden="none",
    )
    compared = [
        Trial(f"lesions-{one}", "lesions", "Scar", replace(plan, architecture=one)) for one in ARCHITECTURES
    ]
    wide = [
        Trial(
            "-".join(("banded-wide", balance, *by.split(), *["answer"] * each)),
            "banded",
            "Scar",
            replace(plan, balance=balance, group_by=by, each_answer=each),
            BRIEF_WIDE,
        )
        for balance, by, each in BALANCES
    ]
    tight = Trial("banded-tight-none", "banded", "Scar", plan, BRIEF_TIGHT)
    played = [
        Trial(f"backwards-{one}", "backwards", "Backwards", replace(plan, architecture=one))
        for one in (_ORDER_FREE, _SEES_ORDER)
    ]
    return (*compared[:-1], *played, wide[0], tight, *wide[1:], compared[-1])


def cohort_of(design: str, sizes: Sizes) -> tuple[Cohort, Split]:
    """All three parts of a design in one cohort, and where each lies; their seeds are far apart."""
    drawn = {"lesions": lesions, "banded": banded, "backwards": backwards}[design]
    parts = [drawn(first, count) for first, count in zip(_FIRST_SEEDS, getattr(sizes, design), strict=True)]
    members = tuple(member for part in parts for member in part.members)
    ends = np.cumsum([len(part.members) for part in parts])
    train, validation, test = np.split(np.arange(len(members)), ends[:-1])
    told = f"phantoms of seeds from {', '.join(map(str, _FIRST_SEEDS))} on"
    return Cohort(members), Split(train, validation, test, told)
