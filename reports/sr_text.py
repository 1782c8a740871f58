"""A structured report as plain text: what a reader would see, for a terminal."""

import re
from collections.abc import Callable, Iterator
from itertools import groupby

from pydicom.dataset import Dataset
from pydicom.uid import UID

from reports.charset import text_of

_INDENT = "  "
_NOT_PRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
# More references than this in a row are counted, not listed.
_LISTED = 3


def sr_text(dataset: Dataset) -> str:
    """The content tree of an SR document, indented, in document order; images in long rows are counted."""
    flags = (text_of(dataset, flag) for flag in ("CompletionFlag", "PreliminaryFlag", "VerificationFlag"))
    patient = " ".join(text_of(dataset, part) for part in ("PatientName", "PatientID"))
    lines = [
        _name(dataset) or "Structured report",
        f"{_INDENT}Patient: {patient.strip() or 'not stated'}",
        f"{_INDENT}Series: {text_of(dataset, 'SeriesDescription')}",
        f"{_INDENT}State: {', '.join(flag for flag in flags if flag)}",
        *_children(dataset, 1),
    ]
    return "\n".join(_NOT_PRINTABLE.sub(" ", line).rstrip() for line in lines)


def _children(item: Dataset, depth: int) -> Iterator[str]:
    for kind, run in groupby(item.get("ContentSequence", ()), key=_image_class):
        items = list(run)
        if kind and len(items) > _LISTED:
            yield f"{_INDENT * depth}{len(items)} x {UID(kind).name}"
            continue
        for child in items:
            yield _INDENT * depth + _line(child)
            yield from _children(child, depth + 1)


def _line(item: Dataset) -> str:
    name, value = _name(item), _VALUES.get(text_of(item, "ValueType"), _nothing)(item)
    return ": ".join(part for part in (name, value) if part)


def _name(item: Dataset) -> str:
    return _meaning(item, "ConceptNameCodeSequence")


def _meaning(item: Dataset, keyword: str) -> str:
    codes = item.get(keyword)
    return text_of(codes[0], "CodeMeaning") if codes else ""


def _image_class(item: Dataset) -> str:
    if text_of(item, "ValueType") != "IMAGE" or not item.get("ReferencedSOPSequence"):
        return ""
    return text_of(item.ReferencedSOPSequence[0], "ReferencedSOPClassUID")


def _number(item: Dataset) -> str:
    values = item.get("MeasuredValueSequence")
    if not values:
        return "not measured"
    units = values[0].get("MeasurementUnitsCodeSequence")
    unit = text_of(units[0], "CodeValue") if units else ""
    return f"{text_of(values[0], 'NumericValue')} {unit}".strip()


def _reference(item: Dataset) -> str:
    references = item.get("ReferencedSOPSequence")
    if not references:
        return "a reference that is missing"
    frames = text_of(references[0], "ReferencedFrameNumber")
    where = f", frame {frames}" if frames else ""
    uid = text_of(references[0], "ReferencedSOPInstanceUID")
    return f"{UID(text_of(references[0], 'ReferencedSOPClassUID')).name} {uid}{where}"


def _coordinates(item: Dataset) -> str:
    points = ", ".join(f"{value:g}" for value in item.get("GraphicData", ()))
    return f"{text_of(item, 'GraphicType')} {points}"


def _nothing(_item: Dataset) -> str:
    return ""


_VALUES: dict[str, Callable[[Dataset], str]] = {
    "TEXT": lambda item: text_of(item, "TextValue"),
    "CODE": lambda item: _meaning(item, "ConceptCodeSequence"),
    "NUM": _number,
    "UIDREF": lambda item: text_of(item, "UID"),
    "PNAME": lambda item: text_of(item, "PersonName"),
    "DATE": lambda item: text_of(item, "Date"),
    "TIME": lambda item: text_of(item, "Time"),
    "DATETIME": lambda item: text_of(item, "DateTime"),
    "IMAGE": _reference,
    "COMPOSITE": _reference,
    "SCOORD": _coordinates,
}
