"""Who was scanned, taken from a scanner's header and made valid where it was not.

Real headers break the rules in ways that stop highdicom and fail validators (StudyDate 20120000, PatientSex
"U", type 2 attributes absent, texts too long). What is written is valid, with two exceptions: UIDs and the
Patient ID stay as they came, because a result that changes them no longer belongs to its study.
"""

import re
from collections.abc import Callable
from datetime import datetime

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from reports.charset import text_of

# PS3.3 C.7.1.1, C.7.2.1, C.7.2.2: type 2 is always written, type 3 where the source has it, so that no two
# objects of a study say different things about its patient.
_TYPE_2 = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
_TYPE_3 = (
    "IssuerOfPatientID",
    "PatientBirthTime",
    "OtherPatientNames",
    "EthnicGroup",
    "PatientComments",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "StudyDescription",
)
_LONGEST = {"SH": 16, "LO": 64, "CS": 16, "LT": 10240}
# An identifier that had to be cut is another identifier; a description only gets shorter.
_DESCRIPTIONS = ("StudyDescription", "PatientComments")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def patient_and_study(source: Dataset, study_instance_uid: str) -> Dataset:
    """The patient and study attributes of a result, in ISO_IR 192, from one source image's header.

    `study_instance_uid` and the Patient ID are written verbatim, valid or not; everything else is valid.
    """
    result = Dataset()
    result.SpecificCharacterSet = "ISO_IR 192"
    for keyword in (*_TYPE_2, *(name for name in _TYPE_3 if name in source)):
        result.add(_element(keyword, repaired(keyword, text_of(source, keyword))))
    result.add(_element("PatientID", text_of(source, "PatientID"), verbatim=True))
    result.add(_element("StudyInstanceUID", study_instance_uid, verbatim=True))
    removed = text_of(source, "PatientIdentityRemoved")
    if removed in {"YES", "NO"}:
        result.add(_element("PatientIdentityRemoved", removed))
    if removed == "YES":
        method = repaired("StudyDescription", text_of(source, "DeidentificationMethod"))
        result.add(_element("DeidentificationMethod", method or "As stated in the source images"))
    return result


def scanner(source: Dataset) -> Dataset:
    """What made the images, for Contributing Equipment Sequence (PS3.3 C.12.1, code 109101)."""
    result = Dataset()
    result.add(_element("Manufacturer", _cut(text_of(source, "Manufacturer"), "LO") or "Unknown"))
    for keyword in ("ManufacturerModelName", "StationName", "DeviceSerialNumber", "SoftwareVersions"):
        value = _cut(text_of(source, keyword).split("\\")[0], dictionary_VR(keyword))
        if value:
            result.add(_element(keyword, value))
    return result


def utc_offset(source: Dataset) -> str:
    """The source's Timezone Offset From UTC (PS3.3 C.12.1.1.8), "+0000" if it states none we can read."""
    value = text_of(source, "TimezoneOffsetFromUTC")
    return value if re.fullmatch(r"[+-](0\d|1[0-4])[0-5]\d", value) else "+0000"


def taken_over(source: Dataset, study_instance_uid: str) -> str:
    """All that every result takes from one source image's header, in one text."""
    elements = (*patient_and_study(source, study_instance_uid), *scanner(source))
    return "\x1f".join((*(f"{element.tag}{element.value}" for element in elements), utc_offset(source)))


def repaired(keyword: str, value: str) -> str:
    """`value` if it is valid for the attribute, else the nearest valid value, at worst the empty one."""
    if keyword == "PatientSex":
        return value if value in {"M", "F", "O"} else ""
    vr = dictionary_VR(keyword)
    if vr in _BY_VR:
        return _BY_VR[vr](value)
    shorter = _cut(value, vr)
    return shorter if keyword in _DESCRIPTIONS or shorter == _printable(value) else ""


def _element(keyword: str, value: str, *, verbatim: bool = False) -> DataElement:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    # pydicom calls "converted" what it takes as it is, without a warning about its validity
    return DataElement(tag, dictionary_VR(tag), value, already_converted=verbatim)


def _printable(value: str) -> str:
    return _CONTROL.sub(" ", value).replace("\\", " ").strip()


def _cut(value: str, vr: str) -> str:
    return _printable(value)[: _LONGEST.get(vr, 64)].strip()


def _date(value: str) -> str:
    digits = value.replace(".", "").replace("-", "")  # 2012.01.31 is ACR-NEMA's way
    return digits if re.fullmatch(r"\d{8}", digits) and _parses(digits, "%Y%m%d") else ""


def _time(value: str) -> str:
    digits = value.replace(":", "")
    whole, _, fraction = digits.partition(".")
    if not re.fullmatch(r"\d{2}(\d{2}(\d{2})?)?", whole) or not _parses(whole, "%H%M%S"[: len(whole)]):
        return ""
    return f"{whole}.{fraction}" if re.fullmatch(r"\d{1,6}", fraction) and len(whole) == 6 else whole


def _parses(value: str, form: str) -> bool:
    try:
        datetime.strptime(value, form)  # noqa: DTZ007  (only asks whether such a day or hour exists)
    except ValueError:
        return False
    return True


def _age(value: str) -> str:
    return value if re.fullmatch(r"\d{3}[DWMY]", value) else ""


def _number(value: str) -> str:
    return value if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value) and len(value) <= 16 else ""


def _person_name(value: str) -> str:
    """At most three groups of 64 characters with five components each (PS3.5 6.2.1)."""
    groups = _printable(value).split("=")[:3]
    return "=".join("^".join(group.split("^")[:5])[:64].rstrip("^ ") for group in groups).rstrip("=")


_BY_VR: dict[str, Callable[[str], str]] = {
    "DA": _date,
    "TM": _time,
    "AS": _age,
    "DS": _number,
    "PN": _person_name,
}
