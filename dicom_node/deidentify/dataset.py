"""One header, de-identified: written anew from what may stay, at every depth."""

from collections.abc import Iterator

from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.tag import BaseTag

from dicom_node import __version__
from dicom_node.deidentify.elements import Elements, ascii_text, sequence, tag_of
from dicom_node.deidentify.identities import identities
from dicom_node.deidentify.kept import EMPTIED, KEPT, REPLACED
from dicom_node.deidentify.private import safe_private
from dicom_node.deidentify.pseudonyms import Pseudonyms
from dicom_node.deidentify.values import REPLACEMENT, Rules, clean_value, written_vr
from pipeline.header import items, text, whole

_DEEPEST = 8
_PROFILE = (
    codes.DCM.BasicApplicationConfidentialityProfile,
    codes.DCM.CleanDescriptorsOption,
    codes.DCM.RetainLongitudinalTemporalInformationModifiedDatesOption,
    codes.DCM.RetainPatientCharacteristicsOption,
    codes.DCM.RetainSafePrivateOption,
)


def deidentified(dataset: Dataset, pseudonyms: Pseudonyms) -> Elements:
    """The header of an MR image without its patient (PS3.15 E.1).

    Pixel Data is not part of it.

    Raises:
        any of `pipeline.header.UNREADABLE`: the header cannot be parsed.
    """
    rules = Rules(pseudonyms, identities(dataset), whole(dataset, "PixelRepresentation") == 1)
    empty: Elements = {tag: (written_vr(tag, rules.signed), b"") for tag in EMPTIED}
    return empty | _cleaned(dataset, rules, 0) | _declaration(pseudonyms)


def _declaration(pseudonyms: Pseudonyms) -> Elements:
    """Who it is now, and that it was done, and how (PS3.15 E.1.1, PS3.3 C.7.1.1)."""
    method = f"dicom-node {__version__}: PS3.15 Annex E by an allow-list"
    return {
        tag_of("PatientName"): ascii_text("PN", pseudonyms.patient),
        tag_of("PatientID"): ascii_text("LO", pseudonyms.patient),
        tag_of("PatientIdentityRemoved"): ascii_text("CS", "YES"),
        tag_of("DeidentificationMethod"): ascii_text("LO", method),
        tag_of("DeidentificationMethodCodeSequence"): sequence(_coded(*code[:3]) for code in _PROFILE),
        tag_of("LongitudinalTemporalInformationModified"): ascii_text("CS", "MODIFIED"),
    }


def _coded(value: str, scheme: str, meaning: str) -> Elements:
    return {
        tag_of("CodeValue"): ascii_text("SH", value),
        tag_of("CodingSchemeDesignator"): ascii_text("SH", scheme),
        tag_of("CodeMeaning"): ascii_text("LO", meaning),
    }


def _cleaned(dataset: Dataset, rules: Rules, depth: int) -> Elements:
    clean = safe_private(dataset)
    for tag in list(dataset.keys()):
        element = _element(dataset, tag, rules, depth)
        if element is not None:
            clean[tag] = element
    return clean


def _element(dataset: Dataset, tag: BaseTag, rules: Rules, depth: int) -> tuple[str, bytes] | None:
    if tag not in KEPT and tag not in REPLACED:
        return None
    vr = written_vr(tag, rules.signed)
    if vr == "SQ":
        return sequence(_items(dataset, tag, rules, depth) if tag in KEPT else ())
    if tag in REPLACED:
        return ascii_text(vr, REPLACEMENT if text(dataset, tag) else "")
    value = clean_value(dataset, tag, vr, rules)
    return None if value is None else (vr, value)


def _items(dataset: Dataset, tag: BaseTag, rules: Rules, depth: int) -> Iterator[Elements]:
    if depth < _DEEPEST:
        for item in items(dataset, tag):
            yield _cleaned(item, rules, depth + 1)
