"""What stands behind the seam: a bundle's network, asked about volumes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from models.errors import ContractViolation
from models.explanation.explainer import Answer, Explained, Explainer
from models.explanation.method import Method
from models.frugal import FrugalNetwork
from models.ladder import REMARKS, Rung
from models.manifest import Manifest
from models.network import Network
from models.prediction import ModelIdentity, Prediction
from pipeline.centre import heart_centre
from pipeline.contract import InputContract, refusal
from pipeline.prepare import Prepared, prepare, restore
from pipeline.volume import CineVolume

if TYPE_CHECKING:
    from pipeline.study import Study


@final
@dataclass(frozen=True, slots=True, eq=False)
class BundleAdapter:
    """A bundle's network with the preprocessing it was trained with, on the scanner's grid.

    `explainer` makes the maps; without one there are none. `remark` is what there is to say about it.
    """

    manifest: Manifest
    network: Network | FrugalNetwork
    threshold: float
    rung: Rung = Rung.USUAL
    explainer: Explainer | None = None
    remark: str = ""

    @property
    def identity(self) -> ModelIdentity:
        return self.manifest.identity

    @property
    def contract(self) -> InputContract:
        return self.manifest.contract

    def predict(self, volume: CineVolume, study: "Study | None" = None) -> Prediction:
        if reason := refusal(volume, self.contract):
            raise ContractViolation(f"{self.identity.name}: {reason}")
        recipe = self.manifest.preprocessing
        centre = heart_centre(volume, study, margin_mm=recipe.pixels * recipe.spacing_mm / 2)
        prepared = prepare(volume, recipe, centre)
        probability, gates = self.network(prepared.array)
        explained = self._explained(prepared, (probability, gates))
        found = f"heart found by: {centre.rule}, row {centre.row:.0f}, column {centre.column:.0f}"
        remark = (self.remark,) if self.remark else ()
        return Prediction(
            model=self.identity,
            probability=probability,
            threshold=self.threshold,
            attention=_on_scanner(explained, prepared, volume),
            attention_method=self.explainer.statement if self.explainer and explained.map is not None else "",
            notes=(*self._economy, found, *prepared.notes, *explained.notes, *remark),
            centre=centre,
            explained_by=self.explainer.method if self.explainer else Method.ATTENTION,
            why_no_map="; ".join((*explained.notes, *remark)) if explained.map is None else "",
        )

    @property
    def _economy(self) -> tuple[str, ...]:
        remark = REMARKS[self.rung]
        return (remark,) if remark else ()

    def _explained(self, prepared: Prepared, answer: Answer) -> Explained:
        return self.explainer(prepared.array, answer) if self.explainer else Explained(None)


def _on_scanner(explained: Explained, prepared: Prepared, volume: CineVolume) -> NDArray[np.float32] | None:
    if explained.map is None:
        return None
    on_grid = restore(explained.map, prepared, volume)
    # interpolation rounds to a hair above 1
    return np.clip(on_grid, 0.0, 1.0, out=on_grid)
