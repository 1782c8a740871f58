"""Annex C: the codes we write, the context groups they are from, and the templates."""

from collections.abc import Iterator
from typing import Any, Final

from pydicom.sr._concepts_dict import concepts  # PS3.16 as tables; pydicom has no public form of them

from dicom_node.statement.markdown import code, table
from reports import CodeUse, Creation

# The context groups that the standard names for a place, or that we choose from where it leaves the choice.
GROUPS: Final[dict[str, tuple[int, ...]]] = {
    "document title": (7010, 7020, 7021),
    "value of Observer Type": (270,),
    "value of Procedure reported": (100, 3820),
    "value of Scarred Myocardium": (240,),
    "value of Imaging Study Quality": (7036,),
    "value of Finding Site": (3718, 12305),
    "value of Algorithm Family": (7162,),
    "value of Derivation": (7464,),
    "value of Modality": (29,),
    "value of Quantity": (7180,),
    "Purpose of Reference Code Sequence": (7005, 7006, 7202),
    "Segmented Property Category Code Sequence": (7150,),
    "Segmented Property Type Code Sequence": (7151,),
    "Algorithm Family Code Sequence": (7162,),
    "Anatomic Region Sequence": (4031,),
    "Derivation Code Sequence": (7203,),
}
_OPEN: Final = {
    "unit": "CID 82, which is all of UCUM",
    "value of Language of Content Item and Descendants": "CID 5000, which is all of RFC 5646",
}
# Templates by the identifier that stands in Content Template Sequence, and those they include.
TEMPLATES: Final[dict[str, tuple[str, str]]] = {
    "1500": (
        "Measurement Report: TID 1204 language, 1002 and 1004 device observer, 1501 measurement groups, 300 "
        "and 320 measurements, 4019 algorithm, 1600 to 1602 image library",
        "Visual explanation (130401) in the measurement groups; Summary and Comment among the Qualitative "
        "Evaluations; descriptors of the image library on its group, not on each image",
    ),
    "2000": ("Basic Diagnostic Imaging Report", "none"),
    "2010": ("Key Object Selection", "none"),
    "3900": ("CT/MR Cardiovascular Analysis Report", "see the content tree"),
}
SCHEMES: Final = {
    "99STRAN": "private: this project's",
    "DCM": "DICOM controlled terminology (PS3.16 Annex D)",
    "LN": "LOINC",
    "NCIt": "NCI Thesaurus",
    "RADLEX": "RadLex",
    "RFC5646": "language tags",
    "SCT": "SNOMED CT",
    "UCUM": "units of measure",
    "UMLS": "UMLS concepts",
}


def terminology(creation: Creation) -> Iterator[str]:
    """Schemes, templates, context groups, codes."""
    yield "## Annex C. Coded terminology and templates\n\n### C.1 Coding schemes\n"
    schemes = sorted({use.scheme for use in creation.codes})
    yield from table(("designator", "scheme"), ((code(one), SCHEMES.get(one, "")) for one in schemes))
    yield "### C.2 Templates\n"
    written = sorted(template_ids(creation))
    rows = ((f"TID {one}", *TEMPLATES.get(one, ("", ""))) for one in written)
    yield from table(("root", "template", "extensions"), rows)
    yield "### C.3 Context groups\n"
    yield from table(("where", "context group", "codes written", "outside the group"), _groups(creation))
    yield "### C.4 Private codes\n"
    yield from table(
        ("code", "meaning", "where"), (_private(use) for use in creation.codes if is_private(use))
    )
    yield "### C.5 All codes\n"
    rows_all = ((code(use.value), use.scheme, use.meaning, ", ".join(use.uses)) for use in creation.codes)
    yield from table(("code", "scheme", "meaning", "where"), rows_all)


def template_ids(creation: Creation) -> set[str]:
    """Of the documents' root templates."""
    return {
        row.value for made in creation.objects for row in made.attributes if row.name == "Template Identifier"
    }


def is_private(use: CodeUse) -> bool:
    """Whether the scheme is a private one (PS3.16 8.2)."""
    return use.scheme.startswith("99")


def in_group(use: CodeUse, cid: int) -> bool:
    """Whether PS3.16 lists the code in the context group."""
    names: dict[str, Any] = concepts.get(use.scheme, {})
    return any(cid in codes[use.value][1] for codes in names.values() if use.value in codes)


def _groups(creation: Creation) -> Iterator[tuple[str, ...]]:
    places = sorted({place for use in creation.codes for place in use.uses})
    for place in places:
        written = [use for use in creation.codes if place in use.uses]
        meanings = ", ".join(use.meaning for use in written)
        if place in _OPEN:
            yield place, _OPEN[place], meanings, ""
        elif place in GROUPS:
            cids = [cid for cid in GROUPS[place] if any(in_group(use, cid) for use in written)]
            outside = [use.meaning for use in written if not any(in_group(use, cid) for cid in cids)]
            named = ", ".join(f"CID {cid}" for cid in cids)
            yield place, named, meanings, ", ".join(outside)


def _private(use: CodeUse) -> tuple[str, ...]:
    return code(f"({use.value}, {use.scheme})"), use.meaning, ", ".join(use.uses)
