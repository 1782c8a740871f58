"""What stands behind the seam: a bundle's network, asked about volumes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from models.attention import METHOD, combined, shown
from models.errors import ContractViolation
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
    """A bundle's network with the preprocessing it was trained with, on the scanner's grid."""

    manifest: Manifest
    network: Network | FrugalNetwork
    threshold: float
    rung: Rung = Rung.USUAL

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
        attention, peak = self._attention(gates, prepared, volume)
        found = f"heart found by: {centre.rule}, row {centre.row:.0f}, column {centre.column:.0f}"
        return Prediction(
            model=self.identity,
            probability=probability,
            threshold=self.threshold,
            attention=attention,
            attention_method=f"{METHOD} {self.manifest.attention_training}".strip() if gates else "",
            notes=(*self._economy, found, *prepared.notes, *peak),
            centre=centre,
        )

    @property
    def _economy(self) -> tuple[str, ...]:
        remark = REMARKS[self.rung]
        return (remark,) if remark else ()

    def _attention(
        self, gates: list[NDArray[np.float32]], prepared: Prepared, volume: CineVolume
    ) -> tuple[NDArray[np.float32] | None, tuple[str, ...]]:
        if not gates:
            return None, ()
        gate = combined(gates, self.manifest.preprocessing.pixels)
        note = f"strongest attention gate {float(gate.max()):.2f}, where 1 is neutral"
        on_grid = restore(shown(gate), prepared, volume)
        # interpolation rounds to a hair above 1
        return np.clip(on_grid, 0.0, 1.0, out=on_grid), (note,)
