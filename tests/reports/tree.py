"""What must hold of every report's content tree, for reading by eye and by machine."""

from collections.abc import Iterator

from pydicom.dataset import Dataset

from reports.charset import text_of


def items(item: Dataset) -> Iterator[Dataset]:
    """Every content item below `item`, in document order."""
    for child in item.get("ContentSequence", ()):
        yield child
        yield from items(child)


def code(item: Dataset, keyword: str = "ConceptNameCodeSequence") -> tuple[str, str]:
    """(value, scheme) of a code; ("", "") where there is none."""
    found = item.get(keyword)
    return (found[0].CodeValue, found[0].CodingSchemeDesignator) if found else ("", "")


def named(item: Dataset, value: str) -> list[Dataset]:
    """The items below `item` whose concept name has this code value."""
    return [child for child in items(item) if code(child)[0] == value]


def texts(item: Dataset, value: str) -> list[str]:
    """The texts of the items below `item` with this concept name."""
    return [child.TextValue for child in named(item, value)]


def referenced(document: Dataset) -> set[str]:
    """SOP instances that the tree cites."""
    return {
        text_of(item.ReferencedSOPSequence[0], "ReferencedSOPInstanceUID")
        for item in items(document)
        if "ReferencedSOPSequence" in item
    }


def evidence(document: Dataset) -> set[str]:
    """SOP instances of the evidence sequences."""
    return {
        text_of(reference, "ReferencedSOPInstanceUID")
        for keyword in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence")
        for study in document.get(keyword, ())
        for series in study.ReferencedSeriesSequence
        for reference in series.ReferencedSOPSequence
    }


def faults(document: Dataset) -> list[str]:
    """Which of our own rules a report breaks; those of the standard are the validators' business."""
    groups = named(document, "125007")
    checks = {
        "the template is not TID 1500": _template(document) != "1500",
        "a container is not SEPARATE": not _all_separate(document),
        "it is not COMPLETE, PRELIMINARY and UNVERIFIED": _flags(document)
        != ("COMPLETE", "PRELIMINARY", "UNVERIFIED"),
        "there is not one probability of 0 to 100 %": not _one_probability(document),
        "the observer is no device with a UID": not _device(document),
        "the algorithm has no name, version or weights hash": not _algorithm(document),
        "a cited instance is not in the evidence": not referenced(document) <= evidence(document),
        "a measurement group has no Tracking UID": not all(named(group, "112040") for group in groups),
        "a measurement group has no NUM inferred from a coordinate": not all(map(_has_point, groups)),
        "a measured NUM has no children": not all(
            number.get("ContentSequence") for group in groups for number in _numbers(group)
        ),
        "a NUM is inferred from a coordinate and an image": any(map(_mixed, items(document))),
        "the image library is not last": code(document.ContentSequence[-1])[0] != "111028",
        "a code has another meaning than PS3.16 gives it": bool(wrong_meanings(document)),
    }
    return [fault for fault, broken in checks.items() if broken or not groups]


def wrong_meanings(document: Dataset) -> list[tuple[str, str, str]]:
    """Codes of the tree (and of the header's code sequences) that are neither PS3.16's nor our own few."""
    return [found for found in sorted(set(_codes(document))) if found not in OURS and not is_standard(*found)]


# Not in pydicom's tables: UCUM's pixels, RFC 5646, the UMLS code of TID 1500 row 12, our own scheme.
OURS = {
    ("{pixels}", "UCUM", "Pixels"),
    ("en-US", "RFC5646", "English (United States)"),
    ("C0034375", "UMLS", "Qualitative Evaluations"),
    ("SCAR-PROB", "99STRAN", "Probability of myocardial scar"),
    ("260753009", "SCT", "Source"),
}


def is_standard(value: str, scheme: str, meaning: str) -> bool:
    """Whether PS3.16, as pydicom has it, gives the code this meaning."""
    from pydicom.sr._concepts_dict import concepts

    return any(meaning == names[value][0] for names in concepts.get(scheme, {}).values() if value in names)


def _codes(dataset: Dataset) -> Iterator[tuple[str, str, str]]:
    if "CodeValue" in dataset:
        yield dataset.CodeValue, dataset.CodingSchemeDesignator, dataset.CodeMeaning
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _codes(item)


def _template(document: Dataset) -> str:
    sequence = document.get("ContentTemplateSequence")
    return str(sequence[0].TemplateIdentifier) if sequence else ""


def _all_separate(document: Dataset) -> bool:
    containers = [document, *(item for item in items(document) if item.ValueType == "CONTAINER")]
    return all(item.ContinuityOfContent == "SEPARATE" for item in containers)


def _flags(document: Dataset) -> tuple[str, ...]:
    return tuple(document.get(flag, "") for flag in ("CompletionFlag", "PreliminaryFlag", "VerificationFlag"))


def _one_probability(document: Dataset) -> bool:
    found = named(document, "SCAR-PROB")
    measured = [number.MeasuredValueSequence[0] for number in found if number.get("MeasuredValueSequence")]
    units = [code(value, "MeasurementUnitsCodeSequence") for value in measured]
    if len(found) != 1 or units != [("%", "UCUM")]:
        return False
    try:
        return 0.0 <= float(text_of(measured[0], "NumericValue")) <= 100.0
    except ValueError:
        return False


def _device(document: Dataset) -> bool:
    kinds = [code(item, "ConceptCodeSequence")[0] for item in named(document, "121005")]
    return kinds == ["121007"] and any(text_of(item, "UID") for item in named(document, "121012"))


def _algorithm(document: Dataset) -> bool:
    return all(
        texts(group, "111001")
        and texts(group, "111003")
        and any(parameter.startswith("weights sha256=") for parameter in texts(group, "111002"))
        for group in named(document, "125007")
    )


def _numbers(group: Dataset) -> list[Dataset]:
    return [item for item in group.get("ContentSequence", ()) if item.ValueType == "NUM"]


def _inferred(number: Dataset, value_type: str) -> bool:
    return any(
        child.ValueType == value_type and child.RelationshipType == "INFERRED FROM"
        for child in number.get("ContentSequence", ())
    )


def _has_point(group: Dataset) -> bool:
    return any(_inferred(number, "SCOORD") for number in _numbers(group))


def _mixed(item: Dataset) -> bool:
    return item.ValueType == "NUM" and _inferred(item, "SCOORD") and _inferred(item, "IMAGE")
