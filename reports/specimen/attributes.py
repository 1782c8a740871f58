"""A dataset as a tree of attributes: what a table of an IOD's contents has rows for (PS3.3 Annex A)."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from highdicom._standard_utils import (  # PS3.3 as tables; pinned with highdicom
    get_iod_module_map,
    get_module_attribute_map,
    get_sop_class_iod_map,
)
from pydicom.datadict import dictionary_description, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from reports.specimen.growth import Node

CODE = "code"
ITEM = "item"
_CODE_KEYWORDS = {"CodeValue", "CodingSchemeDesignator", "CodeMeaning"}
TREE = "see the content tree"
_TREE = "ContentSequence"
_EQUIPMENT = "ContributingEquipmentSequence"
# Bytes and numbers nobody would look up in a table; they are compared, not shown.
_LONGEST_VALUE = 1024


def attributes_of(dataset: Dataset) -> Node:
    """Every attribute below `dataset`, by tag; the items of a sequence that have purposes by those."""
    return Node("", None, tuple(_attribute(element) for element in dataset))


def code_text(item: Dataset) -> str:
    """A code as the standard writes it: (value, scheme, "meaning")."""
    return f'({item.CodeValue}, {item.CodingSchemeDesignator}, "{item.CodeMeaning}")'


def is_code(item: Dataset) -> bool:
    """Whether a sequence item is a code and nothing else (PS3.3 8.8)."""
    return {element.keyword for element in item} == _CODE_KEYWORDS


def named(key: str) -> tuple[str, str, str]:
    """Name, tag and VR of an attribute from its node's key."""
    tag = Tag(key)
    return dictionary_description(tag), f"({tag.group:04X},{tag.element:04X})", dictionary_VR(tag)


def module_table(sop_class_uid: str) -> dict[str, str]:
    """Which module of its IOD each top-level attribute belongs to: tag as in a node's key, name in words."""
    attributes = get_module_attribute_map()
    table: dict[str, str] = {}
    for module in get_iod_module_map()[get_sop_class_iod_map()[sop_class_uid]]:
        for row in attributes[module["key"]]:
            if not row["path"]:
                table.setdefault(row["keyword"], _in_words(module["key"]))
    return table


def _attribute(element: DataElement) -> Node:
    key = f"{int(element.tag):08X}"
    if element.VR != "SQ":
        return Node(key, _text(element))
    if element.keyword == _TREE:
        return Node(key, TREE)
    items = list(element.value)
    if items and all(map(is_code, items)):
        return Node(key, "\\".join(map(code_text, items)))
    return Node(key, None, tuple(_items(items, numbered=element.keyword == _EQUIPMENT)))


def _items(items: Iterable[Dataset], *, numbered: bool) -> Iterator[Node]:
    """Items that say what they are for are kinds of their own; equipment of one purpose is told apart."""
    met: Counter[str] = Counter()
    for item in items:
        purpose = item.get("PurposeOfReferenceCodeSequence")
        kind = purpose[0].CodeMeaning if purpose else ITEM
        met[kind] += 1
        name = f"{kind} ({met[kind]})" if numbered and met[kind] > 1 else kind
        yield Node(name, None, attributes_of(item).children)


def _text(element: DataElement) -> str:
    if element.is_empty:
        return ""
    if isinstance(element.value, bytes):
        return f"bytes {hashlib.sha256(element.value).hexdigest()}"
    text = "\\".join(map(str, element.value)) if element.VM > 1 else str(element.value)
    return text if len(text) <= _LONGEST_VALUE else hashlib.sha256(text.encode()).hexdigest()


def _in_words(key: str) -> str:
    """The name of a module, SOP Common, from its key, sop-common."""
    return " ".join(_ABBREVIATED.get(word, word.capitalize()) for word in key.split("-"))


_ABBREVIATED = {"sop": "SOP", "sc": "SC", "sr": "SR", "icc": "ICC", "voi": "VOI", "lut": "LUT", "of": "of"}
