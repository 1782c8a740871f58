"""Attention by AHA segment for machines, where viewers of measurements leave it alone.

OHIF draws every group of Imaging Measurements as an arrow, and fails on groups without coordinates. TID 1500
has a second container, Derived Imaging Measurements, for what is computed from several places.
"""

from typing import cast

from highdicom import sr
from pydicom.sr.codedict import codes as standard
from pydicom.sr.coding import Code

from pipeline.aha import SEGMENT_NAMES
from reports import codes
from reports.draft import Draft
from reports.map_stack import saliency
from reports.sections import section, sentence
from reports.segment_saliency import convention
from reports.tracking import tracking


def segment_measurements(draft: Draft) -> list[sr.ContainerContentItem]:
    """One container with a NUM per covered segment: mean saliency (0..1) at a Finding Site of CID 3717.

    The tracking UID is that of the whole set.
    The numbers are also said in words, since many viewers show no Finding Site. Empty without values.
    """
    if not draft.segments.values:
        return []
    model = draft.context.prediction.model
    algorithm = sr.AlgorithmIdentification(
        name=model.name,
        version=model.version,
        family=codes.ARTIFICIAL_INTELLIGENCE,
        parameters=[f"weights sha256={model.weights_sha256}"],
    )
    items: list[sr.ContentItem] = [
        *tracking(draft, f"{draft.words.title} by AHA segment"),
        *algorithm,
        sentence(codes.SUMMARY, segments_in_words(draft)),
        sentence(codes.COMMENT, " ".join(convention(draft.words))),
    ]
    for segment, value in draft.segments.values:
        items.append(_measurement(draft, segment, value))
    return [section(codes.DERIVED_MEASUREMENTS, items)]


def segment_code(segment: int) -> Code:
    """The code (CID 3717) of an AHA segment, 1 to 16."""
    words = SEGMENT_NAMES[segment - 1].title().replace(" ", "")
    code: Code = getattr(standard.cid3717, f"LeftVentricle{words}Segment")
    return code


def segments_in_words(draft: Draft) -> str:
    """The values in one sentence; empty without any."""
    if not draft.segments.values:
        return ""
    said = (f"{SEGMENT_NAMES[segment - 1]} {value:.2f}" for segment, value in draft.segments.values)
    return f"{draft.words.title} by AHA segment (0 to 1): {', '.join(said)}."


def _measurement(draft: Draft, segment: int, value: float) -> sr.NumContentItem:
    measurement = sr.Measurement(
        name=saliency(draft),
        value=round(value, 4),
        unit=codes.NO_UNITS,
        derivation=codes.MEAN,
        finding_sites=[sr.FindingSite(anatomic_location=segment_code(segment))],
    )
    return cast(sr.NumContentItem, measurement[0])
