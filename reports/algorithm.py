"""Who answered, and how an answer is written: parts that every report on a prediction has."""

import highdicom as hd
from highdicom import sr
from pydicom.sr.coding import Code

from reports import codes
from reports.draft import Draft


def algorithm(draft: Draft) -> sr.AlgorithmIdentification:
    """TID 4019. highdicom's `manufacturer` argument would write a row this template does not have."""
    model = draft.model
    phases, slices = draft.context.volume.voxels.shape[:2]
    return sr.AlgorithmIdentification(
        name=model.name,
        version=model.version,
        family=codes.ARTIFICIAL_INTELLIGENCE,
        parameters=[
            f"weights sha256={model.weights_sha256}",
            f"preprocessing sha256={model.preprocessing_sha256}",
            f"architecture={model.architecture}, trained to predict {model.label}",
            f"operating threshold={draft.context.prediction.threshold:.9g}",
            f"input={slices} slices x {phases} phases",
        ],
    )


def percentage(
    name: Code, value: str, meaning: str, point: sr.CoordinatesForMeasurement | None = None
) -> sr.Measurement:
    """A NUM in percent. Its meaning gives every NUM a child, which older OHIF versions need to load it."""
    measurement = sr.Measurement(
        name=name,
        value=float(value),
        unit=codes.PERCENT,
        referenced_coordinates=[point] if point is not None else None,
    )
    item = measurement[0]
    item.MeasuredValueSequence[0].NumericValue = value
    if "ContentSequence" not in item:
        item.ContentSequence = hd.sr.ContentSequence()
    item.ContentSequence.append(
        sr.TextContentItem(codes.EQUIVALENT_MEANING, meaning, relationship_type="HAS CONCEPT MOD")
    )
    return measurement
