"""What the map is called wherever it is spoken of, by how it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from models import Method


@dataclass(frozen=True, slots=True)
class MapWords:
    """The words of one method.

    Attributes:
        name: within a sentence.
        title: at the beginning of one.
        layer: as a DICOM code string.
        shows: where the map is strong, as a heading.
        here: what a mark on the image says.
        hardest: which source images are pointed at.
    """

    name: str
    title: str
    layer: str
    shows: str
    here: str
    hardest: str


MAP_WORDS: Final[Mapping[Method, MapWords]] = {
    Method.ATTENTION: MapWords(
        "attention",
        "Attention",
        "ATTENTION",
        "Where the network looked",
        "The network looked here",
        "the network looked hardest",
    ),
    Method.GRADCAM: MapWords(
        "Grad-CAM",
        "Grad-CAM",
        "GRADCAM",
        "What raised the score (Grad-CAM)",
        "This raised the score (Grad-CAM)",
        "the score was raised most (Grad-CAM)",
    ),
    Method.OCCLUSION: MapWords(
        "occlusion",
        "Occlusion",
        "OCCLUSION",
        "What the answer rests on (occlusion)",
        "The answer rests on this (occlusion)",
        "covering changed the answer most (occlusion)",
    ),
}
