"""The ways to explain an answer, and which of them a model's map is made by."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal, get_args

from models.ladder import Rung

if TYPE_CHECKING:
    from models.manifest import Manifest

Explain = Literal["auto", "attention", "gradcam", "occlusion"]
"""What a site may ask for; `auto` is attention where it was proved alive, else Grad-CAM."""


class Method(StrEnum):
    """How a map is made."""

    ATTENTION = "attention"
    GRADCAM = "gradcam"
    OCCLUSION = "occlusion"


NAMES: Final = {
    Method.ATTENTION: "attention",
    Method.GRADCAM: "Grad-CAM",
    Method.OCCLUSION: "occlusion",
}
"""What readers call them, within a sentence."""

_IN_ORDER: Final[dict[str, tuple[Method, ...]]] = {
    "auto": (Method.ATTENTION, Method.GRADCAM),
    "attention": (Method.ATTENTION, Method.GRADCAM),
    "gradcam": (Method.GRADCAM,),
    "occlusion": (Method.OCCLUSION,),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """The method that is used, if any, and sentences on why it is not another, or not proved."""

    method: Method | None
    reasons: tuple[str, ...] = ()

    @property
    def remark(self) -> str:
        """What the reader of a report is told; empty where there is nothing to tell."""
        said = "; ".join(self.reasons)
        if self.method is None or not said:
            return said
        return f"the map is made by {NAMES[self.method]}: {said}"


def choose(wanted: Explain, manifest: "Manifest", rung: Rung) -> Choice:
    """The first method of those that `wanted` allows which this model, computed so, can be explained by.

    A method that was proved dead is never used. One that was never proved is used where nothing better is
    left, and said to be unproved; `auto` passes over attention that was not proved.
    """
    assert wanted in get_args(Explain)
    reasons: list[str] = []
    for method in _IN_ORDER[wanted]:
        unproved = method not in manifest.explanations
        against = _against(method, manifest, rung)
        if not against and unproved and wanted == "auto" and method is Method.ATTENTION:
            against = "this model's attention was never proved alive"
        if not against:
            doubt = f"this model's {NAMES[method]} was never proved alive"
            return Choice(method, (*reasons, doubt) if unproved else tuple(reasons))
        reasons.append(against)
    return Choice(None, tuple(reasons))


def _against(method: Method, manifest: "Manifest", rung: Rung) -> str:
    """Why the method cannot be used; empty if it can."""
    if method is Method.ATTENTION and not manifest.attention:
        return "this model exposes no attention that means anything"
    verdict = manifest.explanations.get(method)
    if verdict is not None and not verdict.alive:
        return f"this model is not explainable by {NAMES[method]}: {verdict.sentence}"
    if method is not Method.ATTENTION and rung is Rung.FRUGAL:
        return f"{NAMES[method]} needs the network's framework, and the network was computed without it"
    return ""
