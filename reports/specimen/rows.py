"""Grown trees as rows of a table."""

from collections.abc import Iterator, Mapping, Sequence

from pydicom.datadict import keyword_for_tag
from pydicom.uid import UID

from reports.created import Row
from reports.specimen.attributes import ITEM, TREE, named
from reports.specimen.content import SEPARATOR, unit_of
from reports.specimen.growth import Growth
from reports.specimen.origin import STANDARD_UIDS, Origin, origin_of
from reports.specimen.runs import Run

_NUMBERS = {"DS", "IS", "FL", "FD", "US", "UL", "NUM"}


def attribute_rows(
    attributes: Sequence[Growth], modules: Mapping[str, str], runs: Sequence[Run]
) -> Iterator[Row]:
    """One IOD's attributes, module by module in the order of PS3.3, by tag within each; sequences unfolded.

    `modules` has the module of each top-level keyword.
    """
    order = {module: place for place, module in enumerate(dict.fromkeys(modules.values()))}
    module_of = {one.key: modules.get(keyword_for_tag(int(one.key, 16)), "") for one in attributes}
    for one in sorted(attributes, key=lambda one: (order.get(module_of[one.key], len(order)), one.key)):
        yield from _attribute(one, runs, module_of[one.key], 0)


def content_rows(content: Sequence[Growth], runs: Sequence[Run], depth: int = 0) -> Iterator[Row]:
    """A content tree in document order."""
    for item in content:
        relationship, value_type, concept = item.key.split(SEPARATOR)
        origin = origin_of(item.values, runs)
        kind = f"{relationship} {value_type}".strip()
        times = f"{item.presence}, 1-n" if item.most > 1 else item.presence
        shown = _units(item) if value_type == "NUM" else _shown(origin, value_type)
        yield Row(depth, concept, "", kind, "", times, origin.source, origin.follows, shown)
        yield from content_rows(item.children, runs, depth + 1)


def _attribute(growth: Growth, runs: Sequence[Run], module: str, depth: int) -> Iterator[Row]:
    name, tag, vr = named(growth.key)
    origin = Origin("", values=(TREE,)) if name == "Content Sequence" else origin_of(growth.values, runs)
    yield Row(
        depth, name, tag, vr, module, growth.presence, origin.source, origin.follows, _shown(origin, vr)
    )
    for item in growth.children:
        inner = depth + 1
        if [child.key for child in growth.children] != [ITEM]:
            yield Row(inner, f"item: {item.key}", "", "", "", item.presence, "", "", "")
            inner += 1
        for child in sorted(item.children, key=lambda one: one.key):
            yield from _attribute(child, runs, "", inner)


def _shown(origin: Origin, kind: str) -> str:
    """The values, of SOP classes the names; `kind` is the VR or value type."""
    if origin.instead and kind in _NUMBERS:
        return "computed if the source has none"
    values = " or ".join(
        UID(value).name if value.startswith(STANDARD_UIDS) else value for value in origin.values
    )
    instead = " or ".join(f"{value} if the source has none" for value in origin.instead)
    return values or instead


def _units(item: Growth) -> str:
    return " or ".join(sorted({unit_of(value) for seen in item.values.values() for value in seen}))
