"""The models that a worker holds: loaded when they are first asked, kept while they are in use."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from dicom_node.analysis.engine import AnalysisRequest, ModelChoice
from models import Manifest, ModelAdapter, ModelIdentity, Prediction, Rung, load_bundle, read_manifest
from pipeline import CineVolume, InputContract

if TYPE_CHECKING:
    from pipeline import Study

_KEPT: Final = 3
"""Models held at once: what is not asked goes, so that a worker does not grow with every activation."""


@final
class LoadedModels:
    """Models computed as `rung` says. `on_load` is told before one is loaded, which takes seconds."""

    def __init__(self, rung: Rung, on_load: Callable[[], None]) -> None:
        self._rung = rung
        self._on_load = on_load
        self._held: dict[ModelChoice, tuple[Manifest, ModelAdapter]] = {}

    def lineup(self, request: AnalysisRequest) -> tuple[ModelAdapter, ...]:
        """The models of a request, first to last: the first loaded, each other one when it has to answer.

        Raises ModelError.
        """
        first = self.get(ModelChoice(request.bundle, request.threshold, request.explain))
        return (first, *(_Deferred(read_manifest(one.bundle), one, self.get) for one in request.behind))

    def get(self, choice: ModelChoice) -> ModelAdapter:
        """A model; loaded anew if it is not held, or if its manifest on disk has changed.

        Raises ModelError.
        """
        manifest = read_manifest(choice.bundle)
        held = self._held.pop(choice, None)
        if held is None or held[0] != manifest:
            self._on_load()
            held = None
            while len(self._held) >= _KEPT:
                del self._held[next(iter(self._held))]
            held = (manifest, load_bundle(choice.bundle, choice.threshold, self._rung, choice.explain))
        self._held[choice] = held
        return held[1]


@final
@dataclass(frozen=True, slots=True)
class _Deferred:
    """A model that is loaded when it is asked."""

    manifest: Manifest
    choice: ModelChoice
    load: Callable[[ModelChoice], ModelAdapter]

    @property
    def identity(self) -> ModelIdentity:
        return self.manifest.identity

    @property
    def contract(self) -> InputContract:
        return self.manifest.contract

    @property
    def threshold(self) -> float:
        return self.manifest.threshold if self.choice.threshold is None else self.choice.threshold

    def predict(self, volume: CineVolume, study: "Study | None" = None) -> Prediction:
        return self.load(self.choice).predict(volume, study)
