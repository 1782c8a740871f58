"""What the objects we write are made of, as a conformance statement tells it (PS3.2 Annex N)."""

from dataclasses import dataclass

from pydicom.uid import UID


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute of an object, or one content item of its tree.

    Attributes:
        depth: 0 at the top level, one more inside every sequence or content item.
        name: of the attribute; of a content item "concept name", with what sets an item apart in brackets.
        tag: "(gggg,eeee)"; "" for content items and for the kinds of items of one sequence.
        vr: value representation; relationship and value type of a content item.
        module: of top-level attributes, the module of PS3.3 they belong to; "" if it is none of the IOD's.
        presence: ALWAYS, VNAP (the value may be missing), ANAP (the attribute may be missing) or EMPTY.
        source: FIXED, CONFIG, COPY, AUTO, or two of them where some of the values are of either origin.
        origin: what the value follows from, for AUTO.
        value: what is written, where that is one of a few; the unit of a number.
    """

    depth: int
    name: str
    tag: str
    vr: str
    module: str
    presence: str
    source: str
    origin: str
    value: str


@dataclass(frozen=True, slots=True)
class CreatedObject:
    """One kind of object.

    Attributes:
        kind: as in `Report`.
        option: the site's choice that makes it be written, as "name: value"; "" if none is needed.
        attributes: all of them.
        content: the content tree of a document; empty for other objects.
    """

    kind: str
    sop_class_uid: str
    option: str
    attributes: tuple[Row, ...]
    content: tuple[Row, ...]

    @property
    def name(self) -> str:
        """The SOP class in words (PS3.6 Table A-1), without "Storage"."""
        return UID(self.sop_class_uid).name.removesuffix(" Storage")

    @property
    def extended(self) -> tuple[Row, ...]:
        """Top-level attributes that no module of the IOD has: Standard Extended SOP Class (PS3.2 3.11.2)."""
        return tuple(row for row in self.attributes if row.depth == 0 and not row.module)


@dataclass(frozen=True, slots=True)
class CodeUse:
    """A code that we write, and where: as a name, a title, a unit, "value of" a concept, in an attribute."""

    value: str
    scheme: str
    meaning: str
    uses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """An attribute with an example of an invalid value, and what a result has in its place."""

    name: str
    tag: str
    received: str
    written: str


@dataclass(frozen=True, slots=True)
class Creation:
    """Everything that one node can write."""

    objects: tuple[CreatedObject, ...]
    codes: tuple[CodeUse, ...]
    repairs: tuple[Repair, ...]
