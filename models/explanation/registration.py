"""A bundle that is made gets its verdicts: proved on a few phantoms, and recorded before it has digests."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from models.explanation.aliveness import prove
from models.explanation.drawn_lesions import draw_lesions
from models.explanation.method import Method
from models.explanation.record import record
from models.explanation.verdict import Verdict
from models.manifest import Manifest, read_manifest

AT_REGISTRATION: Final = (Method.ATTENTION, Method.GRADCAM)
"""Occlusion asks hundreds of times about each phantom: `python -m models.explanation` proves it."""
PHANTOMS: Final = 5


def prove_bundle(folder: Path, tell: Callable[[str], None] = lambda news: None) -> Manifest:
    """The manifest of the bundle in `folder`, which now says which methods explain its answers.

    Loads Keras. Raises WeightsCorrupt, InferenceFailed or OutOfMemory; the manifest is then as it was.
    """
    manifest = read_manifest(folder)
    whole = replace(manifest, explanations={**manifest.explanations, **proof_of(folder, tell)})
    record(folder, whole)
    return whole


def proof_of(folder: Path, tell: Callable[[str], None] = lambda news: None) -> dict[Method, Verdict]:
    """The verdicts on the bundle in `folder`, of which nothing is changed. Loads Keras, raises as above."""
    tell("drawing phantoms")
    lesions = draw_lesions(read_manifest(folder).preprocessing, PHANTOMS)
    return prove(folder, lesions, AT_REGISTRATION, tell)
