"""Every code that stands in a dataset, and where."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydicom.datadict import dictionary_description
from pydicom.dataset import Dataset

from reports.created import CodeUse

CONCEPT_NAME = "concept name"
DOCUMENT_TITLE = "document title"
_PLACES = {"ConceptNameCodeSequence": CONCEPT_NAME, "MeasurementUnitsCodeSequence": "unit"}


@dataclass(frozen=True, slots=True, order=True)
class _Term:
    scheme: str
    value: str
    meaning: str


def code_uses(dataset: Dataset) -> tuple[CodeUse, ...]:
    """The codes of one object, by scheme and value, each with the places it stands in."""
    return _by_code(_terms(dataset))


def merged(many: Iterable[tuple[CodeUse, ...]]) -> tuple[CodeUse, ...]:
    """The codes of many objects, each once, with all its places."""
    return _by_code(
        (_Term(use.scheme, use.value, use.meaning), place)
        for uses in many
        for use in uses
        for place in use.uses
    )


def _by_code(found: Iterable[tuple[_Term, str]]) -> tuple[CodeUse, ...]:
    places: dict[_Term, set[str]] = {}
    for term, place in found:
        places.setdefault(term, set()).add(place)
    return tuple(
        CodeUse(term.value, term.scheme, term.meaning, tuple(sorted(places[term]))) for term in sorted(places)
    )


def _terms(dataset: Dataset) -> Iterator[tuple[_Term, str]]:
    for element in dataset:
        if element.VR != "SQ":
            continue
        for item in element.value:
            if "CodeValue" in item:
                term = _Term(item.CodingSchemeDesignator, item.CodeValue, item.CodeMeaning)
                yield term, _place(dataset, element.keyword)
            yield from _terms(item)


def _place(parent: Dataset, keyword: str) -> str:
    if keyword == "ConceptCodeSequence":
        return f"value of {parent.ConceptNameCodeSequence[0].CodeMeaning}"
    if keyword == "ConceptNameCodeSequence" and "SOPClassUID" in parent:
        return DOCUMENT_TITLE
    return _PLACES.get(keyword) or dictionary_description(keyword)
