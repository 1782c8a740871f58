"""What differs between two DICOM objects, attribute by attribute."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

ABSENT = "(absent)"
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute that is not the same in both.

    `path` names it by keyword, through sequences whose items count from 1:
    `ContentSequence[2].MeasuredValueSequence[1].NumericValue`. `recorded` and `found` are its values as text.
    """

    path: str
    recorded: str
    found: str

    @property
    def is_identifier(self) -> bool:
        """Whether it is a UID: our own follow from everything else, so they differ with anything else."""
        return self.path.endswith("UID")


def differences(recorded: Dataset, found: Dataset, path: str = "") -> Iterator[Difference]:
    """Every difference between two datasets, in the order of their tags; file meta and VR do not count.

    A sequence item that only one of them has is one difference, whatever it holds.
    """
    for tag in sorted({*recorded.keys(), *found.keys()}):
        name = f"{path}{keyword_for_tag(tag) or tag}"
        ours, theirs = recorded.get(tag), found.get(tag)
        if ours is None or theirs is None:
            yield Difference(name, _shown(ours), _shown(theirs))
        elif ours.VR == theirs.VR == "SQ":
            yield from _items(ours.value, theirs.value, name)
        elif _plain(ours.value) != _plain(theirs.value):
            yield Difference(name, _shown(ours), _shown(theirs))


def _items(recorded: list[Dataset], found: list[Dataset], path: str) -> Iterator[Difference]:
    for number, (ours, theirs) in enumerate(zip(recorded, found, strict=False), start=1):
        yield from differences(ours, theirs, f"{path}[{number}].")
    if len(recorded) != len(found):
        yield Difference(path, f"{len(recorded)} items", f"{len(found)} items")


def _plain(value: Any) -> Any:
    """Equal for equal content: an empty value is empty whatever its type, a number is its text."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, MultiValue | list):
        return [_plain(one) for one in value]
    return "" if value is None else str(value)


def _shown(element: DataElement | None) -> str:
    if element is None:
        return ABSENT
    if element.VR == "SQ":
        return f"{len(element.value)} items"
    value = _plain(element.value)
    text = f"{len(value)} bytes" if isinstance(value, bytes) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
