"""Scanner headers with a value in every attribute that a result could take over."""

from collections.abc import Callable, Mapping
from typing import Final

from highdicom._standard_utils import get_module_attribute_map  # PS3.3 as tables; pinned with highdicom
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from reports.context import stable_uid

_MODULES: Final = ("patient", "general-study", "patient-study", "general-equipment")
# Codes whose values the standard lists, and what changes a header's meaning, are chosen by hand.
_BY_HAND: Final[Mapping[str, tuple[str, str]]] = {
    "PatientSex": ("F", "M"),
    "PatientIdentityRemoved": ("YES", "YES"),
    "SpecificCharacterSet": ("ISO_IR 100", "ISO_IR 192"),
    "TimezoneOffsetFromUTC": ("+0100", "+0200"),
    "BodyPartExamined": ("HEART", "CHEST"),
    "PatientPosition": ("HFS", "FFS"),
    "SliceThickness": ("8.25", "6.75"),
    "SeriesNumber": ("3", "4"),
    "ImageComments": ("first comment", "second comment"),
}
# Two values per kind of attribute, the first and the second source's; texts name the attribute they are of.
_BY_VR: Final[Mapping[str, Callable[[int, int], str]]] = {
    **dict.fromkeys(("LO", "SH", "LT", "ST", "UT", "PN"), lambda tag, which: f"{tag:08X} {'AB'[which]}"),
    "DA": lambda tag, which: f"200{tag % 10}010{which + 1}",
    "TM": lambda tag, which: f"1{tag % 10}111{which + 1}",
    "AS": lambda tag, which: f"04{which + 1}Y",
    "DS": lambda tag, which: f"{tag % 100 + which}.5",
    "UI": lambda tag, which: stable_uid("specimen", f"{tag:08X}", "AB"[which]),
}

# One value per kind of attribute that breaks PS3.5 6.2, as real headers do.
_WRONG: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("LO", "SH", "LT", "ST", "UT"), "A text that goes on and on, for longer than" + " it may" * 9
    ),
    "PN": "Far^Too^Many^Parts^Of^A^Name",
    "DA": "20200230",
    "TM": "2460",
    "AS": "45",
    "DS": "heavy",
}


def filled_header(which: int) -> Dataset:
    """The header of the first (0) or second (1) source, without what tells one image from another."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for keyword in _keywords():
        vr, tag = dictionary_VR(keyword), tag_for_keyword(keyword) or 0
        if vr in _BY_VR:
            setattr(header, keyword, _BY_VR[vr](tag, which))
    for keyword, values in _BY_HAND.items():
        setattr(header, keyword, values[which])
    return header


def wrong_header(header: Dataset) -> Dataset:
    """The header with an invalid value wherever one can stand; UIDs stay."""
    wrong = Dataset()
    wrong.update({element.tag: element for element in header})
    wrong.file_meta = header.file_meta
    wrong.PatientSex = "U"
    for keyword in _keywords():
        tag, vr = tag_for_keyword(keyword) or 0, dictionary_VR(keyword)
        if tag in wrong and vr in _WRONG:
            wrong[tag] = DataElement(tag, vr, _WRONG[vr], already_converted=True)
    return wrong


def sparse_header(header: Dataset) -> Dataset:
    """The least that an image can say and still be analysed: no attribute of the modules above."""
    left = Dataset()
    left.update({element.tag: element for element in header if element.keyword not in _dropped()})
    left.file_meta = header.file_meta
    return left


def _keywords() -> list[str]:
    table = get_module_attribute_map()
    return [row["keyword"] for module in _MODULES for row in table[module] if not row["path"]]


def _dropped() -> set[str]:
    return {*_keywords(), *_BY_HAND} - {"StudyInstanceUID", "SpecificCharacterSet"}
