"""A document's content tree as nodes, one for each concept in its place (PS3.3 C.17.3)."""

from collections.abc import Callable

from pydicom.dataset import Dataset

from reports.charset import text_of
from reports.specimen.attributes import code_text
from reports.specimen.growth import Node

SEPARATOR = "\x1f"


def content_of(document: Dataset) -> Node:
    """The root's content items, each with those below it; a dataset without a tree gives an empty node."""
    return Node("", None, tuple(_item(item) for item in document.get("ContentSequence", ())))


def root_of(document: Dataset) -> Node:
    """The tree with its root item; an empty node for a dataset that is no document."""
    return Node("", None, (_item(document),) if "ContentSequence" in document else ())


def _item(item: Dataset) -> Node:
    value_type = text_of(item, "ValueType")
    concept = item.get("ConceptNameCodeSequence")
    key = SEPARATOR.join(
        (text_of(item, "RelationshipType"), value_type, code_text(concept[0]) if concept else "")
    )
    return Node(key, _VALUES[value_type](item), content_of(item).children)


def _code(item: Dataset) -> str:
    return code_text(item.ConceptCodeSequence[0])


def _number(item: Dataset) -> str:
    measured = item.get("MeasuredValueSequence")
    if not measured:
        return ""
    value, unit = measured[0].NumericValue, measured[0].MeasurementUnitsCodeSequence[0]
    return f"{value} {code_text(unit)}"


def unit_of(number: str) -> str:
    """The unit's code in the value of a NUM node; "" where nothing was measured."""
    return number.partition(" ")[2]


def _reference(item: Dataset) -> str:
    return text_of(item.ReferencedSOPSequence[0], "ReferencedSOPInstanceUID")


def _coordinates(item: Dataset) -> str:
    return f"{item.GraphicType} {item.GraphicData}"


_VALUES: dict[str, Callable[[Dataset], str | None]] = {
    "CONTAINER": lambda item: None,
    "TEXT": lambda item: text_of(item, "TextValue"),
    "CODE": _code,
    "NUM": _number,
    "UIDREF": lambda item: text_of(item, "UID"),
    "PNAME": lambda item: text_of(item, "PersonName"),
    "DATE": lambda item: text_of(item, "Date"),
    "TIME": lambda item: text_of(item, "Time"),
    "DATETIME": lambda item: text_of(item, "DateTime"),
    "IMAGE": _reference,
    "COMPOSITE": _reference,
    "SCOORD": _coordinates,
    "SCOORD3D": _coordinates,
    "TCOORD": lambda item: text_of(item, "TemporalRangeType"),
}
