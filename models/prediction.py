"""What a model says about a volume."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.explanation.method import Method
from pipeline.centre import Centre


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model answered: enough to tell two answers of different weights apart for ever.

    Attributes:
        name: what the report calls it, for example "ST-RAN".
        version: the bundle's version.
        architecture: the registered network, for example "stran".
        weights_sha256: digest of the weights file.
        preprocessing_sha256: digest of the preprocessing manifest, which is part of the model version.
        label: the column it was trained to predict ("Scar" is not "WMA").
        trained_on: one sentence on the training data.
        demonstration: True if no clinical data ever touched it; every output must say so.
    """

    name: str
    version: str
    architecture: str
    weights_sha256: str
    preprocessing_sha256: str
    label: str
    trained_on: str
    demonstration: bool


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """One model's answer about one volume.

    Attributes:
        model: who answered.
        probability: P(scar), 0..1.
        threshold: the operating point stored with the model, 0..1.
        attention: the map, by whichever method: (phase, slice, row, column) float32 in 0..1 on the scanner's
            grid; None if there is none worth showing.
        attention_method: one sentence on what the map is and is not; empty without a map.
        notes: sentences for the reader: crop rule, slices used, phases resampled.
        centre: where the model took the heart to be; None if it did not look for it.
        explained_by: how the map was made; means nothing without one.
        why_no_map: why there is no map, in words; empty with one, or where there is nothing to say.
    """

    model: ModelIdentity
    probability: float
    threshold: float
    attention: NDArray[np.float32] | None
    attention_method: str = ""
    notes: tuple[str, ...] = ()
    centre: Centre | None = None
    explained_by: Method = Method.ATTENTION
    why_no_map: str = ""

    def __post_init__(self) -> None:
        if not (0.0 <= self.probability <= 1.0 and 0.0 <= self.threshold <= 1.0):
            raise ValueError("probability and threshold lie in 0..1")
        if self.attention is not None:
            self.attention.setflags(write=False)

    @property
    def positive(self) -> bool:
        """Whether the probability reaches the operating point."""
        return self.probability >= self.threshold
