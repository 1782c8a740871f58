"""What a header says of its whole series, and of how all its pixels are stored."""

from dataclasses import dataclass
from typing import Any

from pipeline.header import Elements, text, texts, whole
from pipeline.remembered import remembered

LONGEST_UID = 256  # real ones break the 64 of PS3.5 6.2; a database index should not have to
_SIGNED = {0: False, 1: True, None: None}
_TAGS = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPClassUID",
    "Modality",
    "PatientID",
    "Manufacturer",
    "ManufacturerModelName",
    "SeriesNumber",
    "SeriesDescription",
    "ProtocolName",
    "SequenceName",
    "PulseSequenceName",
    "SamplesPerPixel",
    "Rows",
    "Columns",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
    "LossyImageCompression",
)


@dataclass(frozen=True, slots=True)
class Description:
    """Attributes of `InstanceFacts`, by their names, and what else is asked of a header."""

    facts: dict[str, Any]
    samples: int
    lossy: bool


def _describe(dataset: Elements) -> Description:
    facts = {
        "study_instance_uid": uid(dataset, "StudyInstanceUID"),
        "series_instance_uid": uid(dataset, "SeriesInstanceUID"),
        "sop_class_uid": uid(dataset, "SOPClassUID"),
        "modality": text(dataset, "Modality", 16),
        "patient_id": text(dataset, "PatientID", 256),
        "manufacturer": text(dataset, "Manufacturer"),
        "model_name": text(dataset, "ManufacturerModelName"),
        "series_number": whole(dataset, "SeriesNumber"),
        "series_description": text(dataset, "SeriesDescription"),
        "protocol_name": text(dataset, "ProtocolName"),
        "sequence_name": text(dataset, "SequenceName") or text(dataset, "PulseSequenceName"),
        "rows": whole(dataset, "Rows") or 0,
        "columns": whole(dataset, "Columns") or 0,
        "photometric": text(dataset, "PhotometricInterpretation", 16).upper(),
        "bits_allocated": whole(dataset, "BitsAllocated"),
        "bits_stored": whole(dataset, "BitsStored"),
        "signed": _SIGNED.get(whole(dataset, "PixelRepresentation")),
    }
    samples = whole(dataset, "SamplesPerPixel") or 1
    return Description(facts, samples, lossy="01" in texts(dataset, "LossyImageCompression"))


describe = remembered(_describe, _TAGS)
"""The description that a header holds."""


def uid(dataset: Elements, keyword: str) -> str:
    """As it is written; one that is too long, long enough to be seen to be."""
    return text(dataset, keyword, LONGEST_UID + 1)
