"""Text out of a header nobody has validated: decoded, and silent about what is wrong with it."""

import re
import warnings
from typing import Any

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.valuerep import PN_DELIMS, TEXT_VR_DELIMS, PersonName

_DEFAULT = ("",)
_PADDING = " \0"
_TERM = re.compile(r"(ISO[ _]?2022[ _]?|ISO[ _]?)IR[ _-]?\d{1,3}|GB18030|GBK", re.IGNORECASE)


def text_of(header: Dataset, keyword: str) -> str:
    """The value of a text or UID attribute as one string, exactly as sent but for padding; "" if absent.

    The bytes are decoded with the header's own Specific Character Set (PS3.3 C.12.1.1.2), lists that begin
    with an empty value included. Values are not checked: pydicom, asked for them, would warn or raise.
    """
    tag = Tag(tag_for_keyword(keyword) or 0)
    if tag not in header:
        return ""
    value: Any = header.get_item(tag).value
    if isinstance(value, PersonName):
        value = value.original_string or str(value)
    if isinstance(value, bytes):
        return _decoded(value, terms_of(header), dictionary_VR(tag)).strip(_PADDING)
    if isinstance(value, str) or value is None:
        return (value or "").strip(_PADDING)
    return "\\".join(str(part) for part in value) if _is_list(value) else str(value)


def terms_of(header: Dataset) -> tuple[str, ...]:
    """The defined terms of Specific Character Set; ("",) for the default repertoire."""
    if "SpecificCharacterSet" not in header:
        return _DEFAULT
    value: Any = header.get_item(Tag(0x0008, 0x0005)).value
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    if isinstance(value, str) or value is None:
        value = (value or "").split("\\")
    return tuple(_known(str(term).strip(_PADDING)) for term in value) or _DEFAULT


def _known(term: str) -> str:
    """The term, or the default repertoire for what is none: pydicom would look for a codec of that name."""
    return term if _TERM.fullmatch(term) else ""


def _decoded(value: bytes, terms: tuple[str, ...], vr: str) -> str:
    # pydicom repairs unknown terms and undecodable bytes by itself, but tells every caller about it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        encodings = convert_encodings(list(terms))
        return decode_bytes(value, encodings, PN_DELIMS if vr == "PN" else TEXT_VR_DELIMS)


def _is_list(value: object) -> bool:
    return hasattr(value, "__iter__")
