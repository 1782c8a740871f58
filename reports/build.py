"""One prediction, all its objects."""

from typing import Final

from pydicom.dataset import Dataset

from reports import (
    attention_sc,
    cardiovascular_report,
    key_objects,
    measurement_sr,
    multiframe_sc,
    parametric_map,
    presentation_state,
    segmentation,
    summary_page,
    text_report,
)
from reports.context import Report, ReportContext
from reports.draft import Draft

_OVERLAYS: Final = {"key_phase": attention_sc.build, "all_phases": multiframe_sc.build}
_MAPS: Final = {"parametric_map": parametric_map.build, "segmentation": segmentation.build}


def build_reports(context: ReportContext) -> list[Report]:
    """See `reports.build_reports`, which loads this module when it is needed."""
    draft = Draft.of(context)
    page = summary_page.build(draft)
    overlays = _OVERLAYS[context.options.attention_images](draft)
    maps = _maps(draft)
    documents = _documents(draft, page, overlays)
    explaining = [*overlays[draft.focus.slice :][:1], *(made.dataset for made in maps)]
    text = _text(draft, page, overlays)
    beside = [made.dataset for made in (*text, *documents)]
    return [
        *_measurements(draft, page, explaining, beside),
        *text,
        Report("summary", page),
        *(Report("attention", overlay) for overlay in overlays),
        *maps,
        *documents,
    ]


def _measurements(
    draft: Draft, page: Dataset, explaining: list[Dataset], beside: list[Dataset]
) -> list[Report]:
    if draft.context.options.form == "text":
        return []
    return [Report("sr", measurement_sr.build(draft, page, explaining, beside))]


def _text(draft: Draft, page: Dataset, overlays: list[Dataset]) -> list[Report]:
    if draft.context.options.form == "measurements":
        return []
    return [Report("text", text_report.build(draft, page, overlays))]


def _maps(draft: Draft) -> list[Report]:
    """The map itself, in the forms the site asks for; none without a map."""
    wanted = draft.context.options.extra_objects
    made = [(kind, build(draft)) for kind, build in _MAPS.items() if kind in wanted]
    return [Report(kind, dataset) for kind, dataset in made if dataset is not None]


def _documents(draft: Draft, page: Dataset, overlays: list[Dataset]) -> list[Report]:
    """What is written about the page and the images the report points at; some of it none without a map."""
    wanted = draft.context.options.extra_objects
    made: list[Report] = []
    if "key_objects" in wanted:
        made += _all("key_objects", key_objects.build(draft, page, overlays))
    if "presentation_state" in wanted:
        made += _all("presentation", presentation_state.build(draft))
    if "pdf" in wanted:
        from reports import encapsulated_pdf  # matplotlib's figures and fonts: a second that few need

        made += _all("pdf", encapsulated_pdf.build(draft, page))
    if "cardiovascular_report" in wanted:
        made += _all("cardiovascular", cardiovascular_report.build(draft, page, overlays))
    return made


def _all(kind: str, datasets: list[Dataset]) -> list[Report]:
    return [Report(kind, dataset) for dataset in datasets]
