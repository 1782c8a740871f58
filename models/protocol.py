"""The seam every model fits."""

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from models.prediction import ModelIdentity, Prediction
from pipeline.contract import InputContract
from pipeline.volume import CineVolume

if TYPE_CHECKING:
    from pipeline.study import Study


@runtime_checkable
class ModelAdapter(Protocol):
    """What answers about a volume."""

    @property
    def identity(self) -> ModelIdentity:
        """Who answers."""
        ...

    @property
    def contract(self) -> InputContract:
        """The volumes it may be asked about."""
        ...

    @property
    def threshold(self) -> float:
        """The operating point its answers are judged by, 0..1."""
        ...

    def predict(self, volume: CineVolume, study: "Study | None" = None) -> Prediction:
        """Its answer about `volume`; same volume and study, same answer.

        `study` may help to find the heart. Raises ContractViolation if the volume breaks the contract,
        InferenceFailed if the network gives no usable answer, PipelineError if the images show nothing.
        """
        ...
