"""What strangers' programs may say about our objects, each with its reason; anything else is a fault."""

import re

from pydicom.dataset import Dataset

from reports.charset import text_of
from reports.header import repaired

_GEOMETRY = (
    "Slice Thickness|Image Position .Patient.|Image Orientation .Patient.|Pixel Spacing|Slice Location|"
    "Frame of Reference UID|Position Reference Indicator"
)
WARNINGS = {
    r"Unrecognized defined term <99STRAN> for value 1 of attribute <Coding Scheme Designator>": (
        "our private scheme, which Coding Scheme Identification Sequence explains; the tool knows no private ones"
    ),
    rf"Attribute is not present in standard DICOM IOD - \(0x[\da-f]{{4}},0x[\da-f]{{4}}\) .. ({_GEOMETRY}) ?": (
        "PS3.3 A.8.1.4 lets a Secondary Capture lie in a frame of reference; the tool's SC IOD has no such modules"
    ),
    r"Attribute is not present in standard DICOM IOD - \(0x0018,0x1002\) UI Device UID ?": (
        "of the equipment in Contributing Equipment Sequence (IHE AIR); PS3.3 has it since the tool was made"
    ),
    r"Unrecognized defined term <QUANTITY> for value 4 of attribute <(Image|Frame) Type>": (
        "PS3.3 C.8.32.2 of a Parametric Map; the tool asks for the values of an Enhanced MR"
    ),
    r"Dicom dataset contains attributes not present in standard DICOM IOD .*Standard Extended SOP Class": (
        "the sum of those above"
    ),
}


_NEEDED = re.compile(r"Warning - Missing attribute or value that would be needed to build DICOMDIR - (.+?) ?")


def unexpected(warnings: tuple[str, ...], source: Dataset) -> list[str]:
    """The warnings of dciodvfy that no reason covers."""
    return [
        line
        for line in warnings
        if not any(re.fullmatch(f"Warning - {pattern}", line) for pattern in WARNINGS)
        and not _left_out(line, source)
        and not _name_of_one_part(line, source)
    ]


def _left_out(line: str, source: Dataset) -> bool:
    """Whether it misses a value that the source does not state (or not validly), and nobody may invent."""
    needed = _NEEDED.fullmatch(line)
    keyword = needed[1].replace(" ", "") if needed else ""
    return bool(keyword) and repaired(keyword, text_of(source, keyword)) == ""


_ONE_PART = re.compile(r"Warning - Value dubious for this VR - .* PN (Patient|Referring Physician)'s Name .*")


def _name_of_one_part(line: str, source: Dataset) -> bool:
    """Whether it calls a name without ^ the retired form; we do not part other people's names."""
    found = _ONE_PART.fullmatch(line)
    keyword = f"{found[1]}Name".replace(" ", "") if found else ""
    written = repaired(keyword, text_of(source, keyword)) if keyword else "^"
    return line.endswith("Retired Person Name form") and "^" not in written


_TALLY = "Error - Dicom dataset contains invalid data values for Value Representations"


def own_faults(errors: tuple[str, ...], inherited: set[str]) -> list[str]:
    """The errors of dciodvfy that are ours: not about a UID the source has, nor the tally of those."""
    return [
        error
        for error in errors
        if not (error == _TALLY and inherited) and not any(f"<{uid}>" in error for uid in inherited)
    ]


def contradictions(lines: list[str], source: Dataset) -> list[str]:
    """What dcentvfy says between our objects, or between them and a source image, without a reason.

    The reasons: the tool files Accession Number under the series of a report; and what the source states
    wrongly, in a character set the tool cannot decode, or not at all is repaired, transcoded or left empty in
    what we write.
    """
    return [line for line in lines if not _reasonable(line, source)]


def _reasonable(line: str, source: Dataset) -> bool:
    found = re.search(r"Element=<(\w+)>", line)
    if not found:
        return False
    keyword = found[1]
    if "Different information entities" in line:
        return keyword == "AccessionNumber"
    said = text_of(source, keyword)
    return keyword not in source or repaired(keyword, said) != said or not said.isascii()
