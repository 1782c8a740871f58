"""Many specimens in, one description out."""

from collections.abc import Iterator, Sequence

from reports.charset import text_of
from reports.created import CreatedObject, Creation, Repair
from reports.header import patient_and_study
from reports.specimen.attributes import module_table, named
from reports.specimen.choices import Kind, needed_options
from reports.specimen.growth import overlay
from reports.specimen.headers import filled_header, wrong_header
from reports.specimen.rows import attribute_rows, content_rows
from reports.specimen.runs import Run, Specimen
from reports.specimen.terms import merged


def describe(runs: Sequence[Run]) -> Creation:
    """The objects of `runs` in the order of their first writing, their codes, and what is repaired."""
    kinds: dict[Kind, list[tuple[int, Specimen]]] = {}
    for number, run in enumerate(runs):
        for specimen in run.specimens:
            kinds.setdefault(specimen.kind, []).append((number, specimen))
    options = needed_options()
    return Creation(
        tuple(_object(kind, options.get(kind, ""), found, runs) for kind, found in kinds.items()),
        merged(specimen.codes for run in runs for specimen in run.specimens),
        tuple(_repairs()),
    )


def _object(
    kind: Kind, option: str, found: Sequence[tuple[int, Specimen]], runs: Sequence[Run]
) -> CreatedObject:
    attributes = overlay([(run, specimen.attributes) for run, specimen in found])
    content = overlay([(run, specimen.content) for run, specimen in found])
    rows = attribute_rows(attributes, module_table(kind[1]), runs)
    return CreatedObject(*kind, option, tuple(rows), tuple(content_rows(content, runs)))


def _repairs() -> Iterator[Repair]:
    """What becomes of patient and study attributes with invalid values."""
    wrong = wrong_header(filled_header(0))
    for element in patient_and_study(wrong, wrong.StudyInstanceUID):
        name, tag, vr = named(f"{int(element.tag):08X}")
        received = text_of(wrong, element.keyword)
        if received and vr != "UI" and element.keyword != "SpecificCharacterSet":
            yield Repair(name, tag, received, str(element.value or ""))
