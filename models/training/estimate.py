"""What a training will need, before it is begun."""

from dataclasses import dataclass
from math import prod
from typing import Any, Final

from models.training.networks import built
from models.training.plan import TrainingPlan
from pipeline.preprocessing import Preprocessing

_FRAMEWORK_MB: Final = 750
_ADAM: Final = 16  # bytes per parameter: itself, its gradient, two moments
_WITHIN: Final = 1.0  # what layers keep within themselves, as a share of their outputs; measured for stran


@dataclass(frozen=True, slots=True)
class Estimate:
    """`memory_mb` is the peak while training, in 10^6 bytes, roughly: within a half either way."""

    parameters: int
    memory_mb: int


def estimate(plan: TrainingPlan, recipe: Preprocessing) -> Estimate:
    """Builds the network, and computes nothing. Loads Keras. Raises TrainingRefused if it cannot be built."""
    network = built(plan.architecture, recipe)
    kept = sum(_size(layer) for layer in network.layers) * plan.batch
    width = 4 if plan.precision == "float32" else 2
    parameters = int(network.count_params())
    needed = kept * width * (1 + _WITHIN) + parameters * _ADAM
    return Estimate(parameters, round(needed / 1e6) + _FRAMEWORK_MB)


def _size(layer: Any) -> int:
    """Values in a layer's output, of one study."""
    shape = layer.output.shape[1:] if not isinstance(layer.output, list) else ()
    return prod(size or 1 for size in shape)
