"""Whom a study shows and what took it, as far as results are told apart by it. No identity."""

import re
from typing import Final

from pydicom.dataset import Dataset

from pipeline.header import number, text

GROUPS: Final = ("sex", "age_band", "manufacturer", "field_strength")
_BANDS: Final = ((40, "under 40"), (60, "40 to 59"), (80, "60 to 79"), (150, "80 and over"))
_MAKERS: Final = ("SIEMENS", "PHILIPS", "CANON", "TOSHIBA", "UNITED IMAGING", "GE")
_GAUSS_PER_TESLA: Final = 10_000
_PHANTOM: Final = "dicom-node phantom"


def header_groups(header: Dataset) -> dict[str, str]:
    """Each of `GROUPS` of one image's header; empty where it does not say."""
    return {
        "sex": sex if (sex := text(header, "PatientSex")) in {"F", "M", "O"} else "",
        "age_band": age_band(_age_years(header)),
        "manufacturer": maker(text(header, "Manufacturer")),
        "field_strength": _field_strength(number(header, "MagneticFieldStrength")),
    }


def is_phantom(header: Dataset) -> bool:
    """Whether `pipeline.phantom` made the image: what learns from it is a demonstration."""
    return text(header, "SoftwareVersions") == _PHANTOM


def age_band(years: int | None) -> str:
    """The band that an age lies in; empty for none that a person has."""
    if years is None or years < 0:
        return ""
    return next((band for limit, band in _BANDS if years < limit), "")


def maker(manufacturer: str) -> str:
    """The same word for the many ways in which one manufacturer writes itself."""
    words = f" {re.sub(r'[^A-Z]+', ' ', manufacturer.upper())} "
    return next((name for name in _MAKERS if f" {name} " in words), manufacturer)


def _field_strength(tesla: float | None) -> str:
    """In tesla; some scanners write gauss."""
    if tesla is None or tesla <= 0:
        return ""
    return f"{round(tesla / _GAUSS_PER_TESLA if tesla > 100 else tesla, 1):g} T"


def _age_years(header: Dataset) -> int | None:
    """Patient's Age, or the years between birth and study."""
    age = re.fullmatch(r"(\d{3})([DWMY])", text(header, "PatientAge"))
    if age:
        return int(age[1]) if age[2] == "Y" else 0
    born, seen = text(header, "PatientBirthDate"), text(header, "StudyDate")
    if not (re.fullmatch(r"\d{8}", born) and re.fullmatch(r"\d{8}", seen)):
        return None
    return (int(seen) - int(born)) // 10_000
