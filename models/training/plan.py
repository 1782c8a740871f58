"""How a network is to be trained: everything but the data. Knows no framework."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from models.errors import TrainingRefused
from models.registry import ARCHITECTURES
from models.training.augment import Augmentation
from models.training.threshold import ThresholdRule

CHOICES: Final = {
    "schedule": ("cosine", "plateau"),
    "precision": ("float32", "mixed_bfloat16", "mixed_float16"),
    "balance": ("none", "oversample", "reweigh", "groupdro"),
    "golden": ("phantom", "validation", "none"),
}
_SHAPELESS: Final = ("workers", "command")


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """One training; with the same data, split and processor it gives the same network.

    Attributes:
        architecture: a key of `models.registry.ARCHITECTURES`.
        epochs: the most; `patience` epochs without a lower validation loss end it earlier.
        batch: studies whose gradients are computed at the same time.
        accumulate: so many batches make one step of the optimizer.
        rate: Adam's learning rate at the start.
        schedule: how it falls: along a cosine, or whenever the validation loss no longer does.
        seed: of the weights' start, the batches' order and the augmentation.
        precision: what is computed in; the bundle's weights are float32 in any case.
        balance: see `models.training.balance`.
        group_by: the property whose groups are balanced; empty: the answer's two classes.
        each_answer: whether every answer in a group is a group of its own.
        threshold_rule: how the operating point is chosen on the validation part.
        golden: whose studies go into the bundle to prove it: phantoms, two of the validation part, none.
        init: a bundle's folder to start from, of the same architecture; None: from random weights.
        name, version: what reports call the model.
        data: a sentence on the training data, for the card and the reports.
        demonstration: whether the bundle is one even if no phantom was seen.
        command: what repeats it.
        workers: threads that make batches ready.
    """

    architecture: str = "stran"
    epochs: int = 60
    batch: int = 4
    accumulate: int = 1
    rate: float = 1e-4
    schedule: str = "cosine"
    patience: int = 15
    seed: int = 1
    precision: str = "float32"
    balance: str = "none"
    group_by: str = ""
    each_answer: bool = False
    augmentation: Augmentation = Augmentation()
    threshold_rule: str = "youden"
    golden: str = "phantom"
    init: Path | None = None
    name: str = ""
    version: str = "1"
    data: str = ""
    demonstration: bool = False
    command: str = ""
    workers: int = 1

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            known = ", ".join(ARCHITECTURES)
            raise TrainingRefused(f"no network is called {self.architecture!r}; known: {known}")
        if min(self.epochs, self.batch, self.accumulate, self.patience, self.workers) < 1:
            raise TrainingRefused("epochs, batch, accumulate, patience and workers are at least 1")
        if not (math.isfinite(self.rate) and self.rate > 0):
            raise TrainingRefused("the learning rate is above 0")
        for name, known_values in CHOICES.items():
            if getattr(self, name) not in known_values:
                raise TrainingRefused(f"{name} is one of {', '.join(known_values)}")
        ThresholdRule.parse(self.threshold_rule)

    @property
    def sha256(self) -> str:
        """Digest of all that shapes the result: a run is resumed under no other plan."""
        shaping = {name: value for name, value in asdict(self).items() if name not in _SHAPELESS}
        return hashlib.sha256(json.dumps(shaping, sort_keys=True, default=str).encode()).hexdigest()
