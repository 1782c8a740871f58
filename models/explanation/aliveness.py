"""Does a map say something about the model? Proved once per model and method, before any report shows one.

After Adebayo et al., Sanity Checks for Saliency Maps (NeurIPS 2018): a map that stays when the weights it
should depend on are drawn anew shows the images, and nothing of the model. The published attention of ST-RAN,
a softmax over one channel, fails every part of it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from models.errors import InferenceFailed
from models.explanation.build import explainer, features_of
from models.explanation.explainer import Answer, Explainer
from models.explanation.method import NAMES, Method
from models.explanation.occlusion import Occlusion
from models.explanation.ranks import rank_correlation
from models.explanation.verdict import Verdict
from models.manifest import SHIPPED, Manifest, read_manifest
from models.network import Network

Array = NDArray[np.float32]

MOST_CORRELATED: Final = 0.5
"""From here on a map is taken not to depend on the weights that were drawn anew."""
LEAST_RATIO: Final = 1.0
"""What an even map has in lesions; a living one has more."""
FEWEST_PHANTOMS: Final = 3
"""Phantoms called positive; with fewer the ratio is not looked at."""
_LEAST_VARIANCE: Final = 1e-6
_DRAWS: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Lesions:
    """Phantoms with a lesion, prepared for the network.

    Attributes:
        cine: (phantom, phase, slice, row, column) in 0..1, two phantoms at least.
        lesion: the same shape: the share of each voxel that is lesion, 0..1.
    """

    cine: NDArray[Any]
    lesion: NDArray[Any]

    def __post_init__(self) -> None:
        if self.cine.shape != self.lesion.shape or len(self.cine) < 2:
            raise ValueError("the proof needs two phantoms or more, with one mask each")


def prove(
    folder: Path | None,
    lesions: Lesions,
    methods: Sequence[Method] = tuple(Method),
    tell: Callable[[str], None] = lambda news: None,
) -> dict[Method, Verdict]:
    """Which of `methods` the bundle in `folder` is explainable by; attention only where it declares one.

    `tell` hears what is being proved. Same bundle and phantoms, same verdicts. Writes nothing. Loads Keras.
    Raises WeightsCorrupt, InferenceFailed or OutOfMemory.
    """
    manifest = read_manifest(folder)
    network = Network(manifest, folder or SHIPPED)
    verdicts = {}
    for method in methods:
        if method is not Method.ATTENTION or manifest.attention:
            tell(f"proving {NAMES[method]}")
            verdicts[method] = _Proof(method, manifest, network, lesions).verdict()
    return verdicts


@final
class _Proof:
    """One method on trial."""

    def __init__(self, method: Method, manifest: Manifest, network: Network, lesions: Lesions) -> None:
        self._method, self._manifest, self._network, self._lesions = method, manifest, network, lesions
        self._explainer = explainer(method, manifest, network)

    def verdict(self) -> Verdict:
        try:
            maps, ratio, phantoms = self._maps()
        except InferenceFailed as error:
            if self._method is not Method.ATTENTION:
                raise
            return Verdict(alive=False, sentence=str(error), variance=0.0, gradient=0.0, rank_correlation=1.0)
        variance, gradient = min(float(one.var()) for one in maps), self._gradient()
        correlation = self._correlation(maps[0])
        faults = _faults(variance, gradient, correlation, ratio)
        sentence = "; ".join(faults) or "it differs from place to place and depends on what was learned"
        return Verdict(
            alive=not faults,
            sentence=sentence,
            variance=_rounded(variance),
            gradient=None if gradient is None else _rounded(gradient),
            rank_correlation=_rounded(correlation),
            lesion_ratio=None if ratio is None else _rounded(ratio),
            phantoms=phantoms,
        )

    def _maps(self) -> tuple[list[Array], float | None, int]:
        """The maps of the first two phantoms, and the mean ratio in those that are called positive."""
        from models.training.scores import mass_ratio

        maps: list[Array] = []
        ratios: list[float] = []
        for cine, lesion in zip(self._lesions.cine, self._lesions.lesion, strict=True):
            prepared = cine.astype(np.float32)
            answer = self._network(prepared)
            found = _map(self._explainer, prepared, answer)
            maps = [*maps, found] if len(maps) < 2 else maps
            if answer[0] >= self._manifest.threshold and found.any() and lesion.any():
                ratios.append(mass_ratio(found, lesion, np.ones_like(lesion)))
        enough = len(ratios) >= FEWEST_PHANTOMS
        return maps, float(np.mean(ratios)) if enough else None, len(ratios) if enough else 0

    def _gradient(self) -> float | None:
        """What of the score's gradient reaches that from which the map is made."""
        cine = self._lesions.cine[0].astype(np.float32)
        if self._method is Method.OCCLUSION:
            return None
        from models.explanation.gradcam import GradCam
        from models.explanation.reach import least_gradient

        features = features_of(self._manifest.architecture)
        if self._method is Method.GRADCAM:
            return GradCam(self._network.model, features).slope(cine)
        return least_gradient(self._network.model, self._manifest.attention, features.score, cine)

    def _correlation(self, usual: Array) -> float:
        """The mean over draws of how alike the map of the first phantom stays."""
        cine = self._lesions.cine[0].astype(np.float32)
        return float(np.mean([self._likeness(usual, cine, seed) for seed in range(_DRAWS)]))

    def _likeness(self, usual: Array, cine: Array, seed: int) -> float:
        with drawn_anew(self._network.model, self._layers(), seed):
            ask = self._network.unhurried
            return rank_correlation(usual, _map(self._again(), cine, ask(cine)))

    def _layers(self) -> tuple[str, ...]:
        """Those whose weights the map must depend on: the gates, or the last layer."""
        if self._method is Method.ATTENTION:
            from models.gates import gate_name

            return tuple(gate_name(block) for block in self._manifest.attention)
        return (features_of(self._manifest.architecture).score,)

    def _again(self) -> Explainer:
        """The method, asking the network with the weights it has now."""
        if isinstance(self._explainer, Occlusion):
            return Occlusion(self._network.unhurried)
        return self._explainer


def _map(method: Explainer, cine: Array, answer: Answer) -> Array:
    found = method(cine, answer).map
    return np.zeros(cine.shape, np.float32) if found is None else found


def _faults(variance: float, gradient: float | None, correlation: float, ratio: float | None) -> list[str]:
    faults = []
    if not variance > _LEAST_VARIANCE:
        faults.append("its map is the same everywhere")
    if gradient is not None and not gradient > 0:
        faults.append("no gradient reaches it, so that it can have learned nothing")
    if not correlation < MOST_CORRELATED:
        faults.append("its map stays when the weights are drawn anew")
    if ratio is not None and not ratio > LEAST_RATIO:
        faults.append("its map finds the phantoms' lesions no better than an even map")
    return faults


def _rounded(figure: float) -> float:
    """Four significant digits: more would not come out the same on another processor."""
    return float(f"{figure:.4g}")


@contextmanager
def drawn_anew(model: Any, layers: Sequence[str], seed: int) -> Iterator[None]:
    """The same model with the weights of `layers` drawn by lot, as large as they were; then put back."""
    kept = {name: model.get_layer(name).get_weights() for name in layers}
    rng = np.random.default_rng(seed)
    try:
        for name, weights in kept.items():
            drawn = [rng.normal(0.0, np.sqrt(np.mean(one**2)), one.shape) for one in weights]
            model.get_layer(name).set_weights(drawn)
        yield
    finally:
        for name, weights in kept.items():
            model.get_layer(name).set_weights(weights)
