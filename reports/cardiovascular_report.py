"""A second report in the form of TID 3900, CT/MR Cardiovascular Analysis Report (PS3.16).

What is claimed: the root with its mandatory rows (Procedure Reported, TID 1204 Language, TID 1001
Observation Context), TID 3901 Procedure Summary, and TID 3927 Report Summary twice, under the headings
Findings and Impressions (CID 7001). The probability, its threshold and the algorithm (TID 4019) are
extensions of TID 3927, which permits them.

What is not: the Ventricular Analysis of TID 3920 with what it holds (volumes, thickening, wall motion, late
enhancement) and the Vascular Analysis of TID 3902 are optional, and this node measures none of it, so that
they are absent rather than empty; the procedure summary says so in words. The heart rate of TID 3929 belongs
to the Ventricular Analysis and is absent with it. TID 3925 would hold findings of single segments, but its
thickening is mandatory and attention is no thickening: attention by segment, where the stack supports it, is
an extension of the root.
"""

from typing import Final

import highdicom as hd
from highdicom import sr
from pydicom.dataset import Dataset

from reports import codes
from reports.algorithm import algorithm, percentage
from reports.draft import Draft
from reports.evidence import made_instances, rendering, source_instances
from reports.peaks import peaks
from reports.qualitative import finding
from reports.sections import answer, section, sentence
from reports.segment_items import segment_measurements
from reports.sr_document import Place, opening, separate, structured_report
from reports.wording import map_note, percentages, remarks, research_note, summary

_PLACE: Final = Place("cardiovascular", 909, "cardiovascular report")
_NOT_MEASURED = (
    "Automated analysis for myocardial scar only. Not measured and not assessed: ventricular volumes, "
    "ejection fraction, mass, wall thickening, wall motion, perfusion, late enhancement, vessels."
)


def build(draft: Draft, page: Dataset, overlays: list[Dataset]) -> list[Dataset]:
    """The document; with a map, the overlays of the slices with most attention go with the finding."""
    explaining = [overlays[peak.slice] for peak in peaks(draft)]
    evidence = [*source_instances(draft), *made_instances(page, *explaining)]
    document = structured_report(draft, _root(draft, explaining), evidence, _PLACE)
    document.ReferencedInstanceSequence = [rendering(page)]
    return [draft.seal(document)]


def _root(draft: Draft, explaining: list[Dataset]) -> Dataset:
    root = sr.ContainerContentItem(codes.CARDIOVASCULAR_REPORT, template_id="3900")
    root.ContentSequence = hd.sr.ContentSequence(
        [
            *opening(draft),
            _procedure(draft),
            _findings(draft, explaining),
            *segment_measurements(draft),
            _impressions(draft),
        ]
    )
    separate(root)
    return root


def _procedure(draft: Draft) -> sr.ContainerContentItem:
    """TID 3901."""
    quality = draft.context.quality
    grade = codes.LIMITED_QUALITY if quality.limited else codes.DIAGNOSTIC_QUALITY
    return section(
        codes.PROCEDURE_DESCRIPTIONS,
        [
            sentence(codes.PROCEDURE_DESCRIPTION, f"Cardiac cine MR, short axis: {quality.completeness}"),
            sentence(codes.PROCEDURE_DESCRIPTION, _NOT_MEASURED),
            *(sentence(codes.COMMENT, remark) for remark in remarks(draft.context)),
            answer(codes.STUDY_QUALITY, grade),
        ],
    )


def _findings(draft: Draft, explaining: list[Dataset]) -> sr.ContainerContentItem:
    """TID 3927 under Findings: what the model answered, and of what."""
    probability, threshold = percentages(draft.context.prediction)
    value = finding(draft)
    images = [
        sr.ImageContentItem(
            codes.VISUAL_EXPLANATION, image.SOPClassUID, image.SOPInstanceUID, relationship_type="CONTAINS"
        )
        for image in explaining
    ]
    return section(
        codes.FINDINGS,
        [
            *algorithm(draft),
            *([] if value is None else [answer(codes.SCARRED_MYOCARDIUM, value)]),
            *percentage(codes.SCAR_PROBABILITY, probability, "Probability that scar is present"),
            *percentage(codes.THRESHOLD, threshold, "Operating threshold of the model"),
            sentence(codes.COMMENT, map_note(draft.context, draft.focus.located)),
            *images,
        ],
    )


def _impressions(draft: Draft) -> sr.ContainerContentItem:
    """TID 3927 under Impressions: the sentence to read, and how far to trust it."""
    return section(
        codes.IMPRESSIONS,
        [
            sentence(codes.IMPRESSION, summary(draft.context.prediction)),
            sentence(codes.COMMENT, research_note(draft.model)),
        ],
    )
