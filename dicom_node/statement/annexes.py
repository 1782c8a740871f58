"""The annexes with little in them, and what is changed on the way from the source."""

from collections.abc import Iterator

from dicom_node.statement.markdown import code, table
from dicom_node.statement.objects import label
from reports import CreatedObject, Creation, Repair

_LONGEST_SHOWN = 30
_CHANGED = """\
## Annex F. Attributes copied, and repaired where they are invalid

Nothing is changed in what the node keeps. In what it writes, patient and study are taken from the source
images, in the character set ISO_IR 192. Identifiers stay as they came, even invalid ones, since with
another identifier a result would no longer belong to its study; other invalid values become the nearest
valid one, or none. For example:
"""


def annexes_after_objects() -> Iterator[str]:
    """B, the data dictionary."""
    yield "## Annex B. Data dictionary of private attributes\n\nThere are no private attributes.\n"


def annexes_after_terms(creation: Creation) -> Iterator[str]:
    """D to F."""
    yield "## Annex D. Grayscale image consistency\n"
    yield "Not applicable: the node has no display and no printer. Its pictures are in colour (sRGB).\n"
    yield "## Annex E. Standard Extended, Specialized and Private SOP classes\n"
    extended = [made for made in creation.objects if made.extended]
    yield "There are no Specialized and no Private SOP classes.\n"
    if extended:
        yield "Standard Extended, since the object has attributes that no module of its IOD has:\n"
        yield from table(("object", "attributes added"), map(_extension, extended))
    else:
        yield "No object has an attribute that its IOD does not list.\n"
    yield _CHANGED
    yield from table(("attribute", "tag", "received", "written"), map(_repair, creation.repairs))


def _extension(made: CreatedObject) -> tuple[str, str]:
    return label(made), ", ".join(f"{row.name} {row.tag}" for row in made.extended)


def _repair(repair: Repair) -> tuple[str, ...]:
    received = _brief(repair.received)
    written = "the same" if repair.received == repair.written else _brief(repair.written) or "nothing"
    return repair.name, repair.tag, received, written


def _brief(value: str) -> str:
    return code(value) if len(value) <= _LONGEST_SHOWN else f"{len(value)} characters"
