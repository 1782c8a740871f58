"""Who and what a header names, to find it again where it does not belong: an ID typed into another field."""

import re
from collections.abc import Iterator

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from pipeline.header import items, texts

_NAMING = """
    PatientID OtherPatientIDs IssuerOfPatientID AccessionNumber StudyID InstitutionName InstitutionAddress
    InstitutionalDepartmentName StationName DeviceSerialNumber GantryID DeviceID PatientAddress
    PatientTelephoneNumbers MedicalRecordLocator AdmissionID RequestedProcedureID ScheduledProcedureStepID
    PerformedProcedureStepID PerformedStationName PerformedLocation
    UniversalEntityID LocalNamespaceEntityID PersonAddress PersonTelephoneNumbers PatientBirthDate
"""
_IDS = frozenset(filter(None, map(tag_for_keyword, _NAMING.split())))
_PARTS = re.compile(r"[\^=\s,;_]+")
_FEWEST = 4  # shorter ones are in every word
_DEEPEST = 8
_MOST = 256


def identities(dataset: Dataset) -> frozenset[str]:
    """Names, IDs and places in `dataset` and its sequences, in lower case; of names also each part."""
    found: set[str] = set()
    for value in _named(dataset, 0):
        if len(found) >= _MOST:
            break
        if len(value) >= _FEWEST:
            found.add(value)
    return frozenset(found)


def names_anyone(text: str, known: frozenset[str]) -> bool:
    """Whether one of the `known` identities is part of `text`."""
    lower = text.lower()
    return any(one in lower for one in known)


def _named(dataset: Dataset, depth: int) -> Iterator[str]:
    for tag in list(dataset.keys()):
        vr = _vr(tag)
        if vr == "PN" or tag in _IDS:
            for value in texts(dataset, tag):
                yield value.lower()
                yield from _PARTS.split(value.lower()) if vr == "PN" else ()
        elif vr == "SQ" and depth < _DEEPEST:
            for item in items(dataset, tag):
                yield from _named(item, depth + 1)


def _vr(tag: BaseTag) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return ""
