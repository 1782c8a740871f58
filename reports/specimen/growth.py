"""Trees of many specimens laid over each other: what is always there, and what changes with what."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Node:
    """An attribute or content item of one object. `value` is None where only the children say something."""

    key: str
    value: str | None = None
    children: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True)
class Growth:
    """All nodes of one key under one parent, over all runs.

    Attributes:
        key: theirs.
        holders: parents that have one at least, of `parents`.
        most: the largest number of them under one parent.
        count, empty: how many there are, and how many have neither value nor children.
        values: by run, every value seen.
        children: in the order of first appearance.
    """

    key: str
    parents: int
    holders: int
    most: int
    count: int
    empty: int
    values: dict[int, frozenset[str]]
    children: tuple["Growth", ...]

    @property
    def presence(self) -> str:
        """ALWAYS, VNAP, ANAP or EMPTY, as PS3.2 N.1 abbreviates them."""
        if self.empty == self.count:
            return "EMPTY" if self.holders == self.parents else "ANAP"
        if self.holders < self.parents:
            return "ANAP"
        return "VNAP" if self.empty else "ALWAYS"


@dataclass(slots=True)
class _Found:
    """Nodes of one key while they are gathered: the run of each, and how many each parent had."""

    nodes: list[tuple[int, Node]] = field(default_factory=list)
    per_parent: list[int] = field(default_factory=list)


def overlay(roots: Sequence[tuple[int, Node]]) -> tuple[Growth, ...]:
    """The children of all `roots`, each with the run it comes from, laid over each other."""
    found: dict[str, _Found] = {}
    for run, root in roots:
        counts: dict[str, int] = {}
        for child in root.children:
            found.setdefault(child.key, _Found()).nodes.append((run, child))
            counts[child.key] = counts.get(child.key, 0) + 1
        for key, count in counts.items():
            found[key].per_parent.append(count)
    return tuple(_grown(key, gathered, len(roots)) for key, gathered in found.items())


def _grown(key: str, found: _Found, parents: int) -> Growth:
    values: dict[int, set[str]] = {}
    for run, node in found.nodes:
        if node.value:
            values.setdefault(run, set()).add(node.value)
    return Growth(
        key=key,
        parents=parents,
        holders=len(found.per_parent),
        most=max(found.per_parent),
        count=len(found.nodes),
        empty=sum(not node.value and not node.children for _, node in found.nodes),
        values={run: frozenset(seen) for run, seen in values.items()},
        children=overlay(found.nodes),
    )
