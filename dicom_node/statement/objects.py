"""Annex A: every object the node creates, module by module, attribute by attribute."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from dicom_node.statement.markdown import code, table
from reports import CreatedObject, Creation, Row

Module: TypeAlias = tuple[str, tuple[Row, ...]]
"""Its name, and its attributes as they are in some object."""

_HEAD = """\
## Annex A. Created objects

Made by writing every kind of object for a simulated study, again and again with one thing changed, and
comparing.

| presence | | source | |
|---|---|---|---|
| ALWAYS | always there, with a value | FIXED | always the value shown, or one of them |
| VNAP | always there, the value may be missing | CONFIG | from `config.yaml` |
| ANAP | may be missing | COPY | taken from the source images |
| EMPTY | always there, without a value | AUTO | made by the node, from what is named |

`>` marks what is inside a sequence, and its presence is that within an item. *item: ...* are the kinds of
items of a sequence, named by their purpose of reference. A module that several objects have alike is
listed once, in A.1.
"""
_OUTSIDE = "Outside the modules of the IOD"
_HEADS = ("attribute", "tag", "VR", "presence", "source", "value")
_TREE_HEADS = ("content item", "relationship and value type", "presence", "source", "value or unit")


@dataclass(frozen=True, slots=True)
class _Shared:
    """A module that several objects have alike."""

    number: str
    module: Module
    objects: tuple[str, ...]


def objects(creation: Creation) -> Iterator[str]:
    """The modules of several objects, then each object."""
    shared = _shared(creation)
    yield _HEAD
    yield "### A.1 Modules of several objects\n"
    for one in shared.values():
        name, rows = one.module
        everywhere = len(one.objects) == len(creation.objects)
        where = "all objects" if everywhere else ", ".join(one.objects)
        yield f"#### {one.number} {name or _OUTSIDE}\n\nIn {where}.\n"
        yield from table(_HEADS, map(_attribute, rows))
    for place, made in enumerate(creation.objects, 2):
        yield f"### A.{place} {label(made)}\n\nSOP Class UID (0008,0016): `{made.sop_class_uid}`\n"
        yield from _object(made, shared)


def label(made: CreatedObject) -> str:
    """How the statement calls a kind of object."""
    return f"{made.name} ({made.kind})"


def _object(made: CreatedObject, shared: dict[Module, _Shared]) -> Iterator[str]:
    modules = list(_modules(made))
    elsewhere = [f"{module[0]} ({shared[module].number})" for module in modules if module in shared]
    if elsewhere:
        yield f"As in A.1: {', '.join(elsewhere)}. And:\n"
    for module in modules:
        if module not in shared:
            yield f"**{module[0] or _OUTSIDE}**\n"
            yield from table(_HEADS, map(_attribute, module[1]))
    if made.content:
        yield "**Content tree**\n"
        yield from table(_TREE_HEADS, map(_item, made.content))


def _shared(creation: Creation) -> dict[Module, _Shared]:
    """Numbered in the order in which the objects need them."""
    users: dict[Module, list[str]] = {}
    for made in creation.objects:
        for module in _modules(made):
            users.setdefault(module, []).append(label(made))
    several = [(module, names) for module, names in users.items() if len(names) > 1]
    return {
        module: _Shared(f"A.1.{number}", module, tuple(names))
        for number, (module, names) in enumerate(several, 1)
    }


def _modules(made: CreatedObject) -> Iterator[Module]:
    """The rows, cut where another module begins; without the SOP class, by which no two would be alike."""
    name, rows = "", list[Row]()
    for row in made.attributes:
        if row.depth == 0 and row.name == "SOP Class UID":
            continue
        if row.depth == 0 and row.module != name and rows:
            yield name, tuple(rows)
            rows = []
        name = row.module if row.depth == 0 else name
        rows.append(row)
    yield name, tuple(rows)


def _attribute(row: Row) -> tuple[str, ...]:
    shown = f"*{row.name}*" if not row.tag else row.name
    return _indented(row, shown), row.tag, row.vr, row.presence, _source(row), _value(row)


def _item(row: Row) -> tuple[str, ...]:
    return _indented(row, row.name or "(no concept name)"), row.vr, row.presence, _source(row), _value(row)


def _indented(row: Row, name: str) -> str:
    return f"{'>' * row.depth} {name}".strip()


def _source(row: Row) -> str:
    return f"{row.source}: {row.origin}" if row.origin else row.source


def _value(row: Row) -> str:
    """What is written as it is typed, but for codes and the names of classes."""
    as_typed = row.source not in {"", "COPY"} and row.vr != "UI" and not row.value.startswith("(")
    return code(row.value) if as_typed else row.value
