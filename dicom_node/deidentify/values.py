"""Values that stay, each of the kind its attribute has: a number, a short code, a plain text.

Whatever is not of its kind is no value: a name does not pass as a number, nor bytes as a name. What is
written is ASCII, so that no character set is needed to read it.
"""

import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag

from dicom_node.deidentify.elements import ascii_text
from dicom_node.deidentify.identities import names_anyone
from dicom_node.deidentify.kept import DESCRIPTIONS, KEPT
from dicom_node.deidentify.pseudonyms import Pseudonyms
from dicom_node.deidentify.words import of_the_trade
from pipeline.header import numbers

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_CODE = re.compile(r"[A-Z0-9_ ]{1,32}")
_PLAIN = re.compile(r"[A-Za-z0-9 _.,:;()/*+\-\[\]]{1,64}")
_CLOCK = re.compile(r"\d{2}(?::?\d{2}(?::?\d{2}(?:\.\d{1,6})?)?)?", re.ASCII)
_AGE = re.compile(r"(\d{3})([DWMY])", re.ASCII)
_UID = re.compile(r"[0-9.]{1,128}")
REPLACEMENT = "REMOVED"
"""Where a text must not stay and some value has to be there."""

_OLDEST = 89  # years; who is older is rare enough to be known by it
_LONGEST = 1 << 16
_FORMATS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}


@dataclass(frozen=True, slots=True)
class Rules:
    """What cleaning depends on besides the value.

    Attributes:
        pseudonyms: other names for UIDs and days.
        known: what identifies the patient elsewhere in the header (`identities`).
        signed: whether pixels are, which some attributes follow.
    """

    pseudonyms: Pseudonyms
    known: frozenset[str]
    signed: bool


def written_vr(tag: int, signed: bool) -> str:
    """The representation an attribute has in the standard, whatever the file says; empty for none."""
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return ""
    return ("SS" if signed else "US") if vr == "US or SS" else vr


def clean_value(dataset: Dataset, tag: BaseTag, vr: str, rules: Rules) -> bytes | None:
    """The value as it is written, padded, Little Endian; None if none of it may stay."""
    if vr in _FORMATS:
        return _binary(dataset, tag, vr)
    if vr == "AT":
        return _pointers(dataset, tag)
    clean = _TEXTS.get(vr)
    parts = _parts(dataset, tag)
    if clean is None or parts is None:
        return None
    if tag in DESCRIPTIONS:
        clean = _description
    found = [clean(part, rules) for part in parts]
    if vr in ("DS", "IS") and not all(one or not part for one, part in zip(found, parts, strict=True)):
        return None  # of a vector, all or nothing
    kept = [one for one, part in zip(found, parts, strict=True) if one or not part]
    return ascii_text(vr, "\\".join(kept))[1]


def _parts(dataset: Dataset, tag: BaseTag) -> list[str] | None:
    value = dataset.get_item(tag).value
    if value is None:
        return [""]
    if isinstance(value, Items):
        return None
    if isinstance(value, bytes):
        return (
            [one.strip("\0 ") for one in value.decode("latin-1").split("\\")]
            if len(value) < _LONGEST
            else None
        )
    several = isinstance(value, Sequence) and not isinstance(value, str)
    return [str(one).strip() for one in (value if several else [value])]


def _binary(dataset: Dataset, tag: BaseTag, vr: str) -> bytes | None:
    found = numbers(dataset, tag, vr)
    values = found if vr in ("FL", "FD") else [int(one) for one in found if one == int(one)]
    try:
        return struct.pack(f"<{len(values)}{_FORMATS[vr]}", *values)
    except (struct.error, OverflowError):
        return None


def _pointers(dataset: Dataset, tag: BaseTag) -> bytes | None:
    """Attribute tags, of what stays: that of a private attribute would point nowhere."""
    element = dataset.get_item(tag)
    if (
        not isinstance(element, RawDataElement)
        or not isinstance(element.value, bytes)
        or len(element.value) != 4
    ):
        return None
    group, number = struct.unpack("<HH" if element.is_little_endian else ">HH", element.value)
    return struct.pack("<HH", group, number) if group << 16 | number in KEPT else None


def _number(part: str, _: Rules) -> str:
    return part if len(part) <= 32 and _NUMBER.fullmatch(part) else ""


def _code(part: str, rules: Rules) -> str:
    upper = part.upper()
    return upper if _CODE.fullmatch(upper) and not names_anyone(part, rules.known) else ""


def _plain(part: str, rules: Rules) -> str:
    fine = not part or (_PLAIN.fullmatch(part) and not names_anyone(part, rules.known))
    return part if fine else REPLACEMENT


def _description(part: str, _: Rules) -> str:
    return of_the_trade(part)


def _uid(part: str, rules: Rules) -> str:
    return rules.pseudonyms.uid(part) if _UID.fullmatch(part) else ""


def _clock(part: str, _: Rules) -> str:
    return part if _CLOCK.fullmatch(part) else ""


def _age(part: str, _: Rules) -> str:
    found = _AGE.fullmatch(part.upper())
    if found is None:
        return ""
    return "090Y" if found[2] == "Y" and int(found[1]) > _OLDEST else found[0]


def _day(part: str, rules: Rules) -> str:
    return rules.pseudonyms.day(part)


def _moment(part: str, rules: Rules) -> str:
    return rules.pseudonyms.moment(part)


_TEXTS: dict[str, Callable[[str, Rules], str]] = {
    "DS": _number,
    "IS": _number,
    "CS": _code,
    "LO": _plain,
    "SH": _plain,
    "UI": _uid,
    "DA": _day,
    "TM": _clock,
    "DT": _moment,
    "AS": _age,
}
