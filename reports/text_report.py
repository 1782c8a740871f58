"""The report as a reader reads it: a Basic Text SR (PS3.3 A.35.1) after TID 2000, summary first.

Viewers that know measurement reports draw them as marks on images and leave the words out, as OHIF does;
nearly every archive and viewer shows a Basic Text SR as text (docs/adr/0010). Who wrote it comes last, in the
order of reading. The objects it speaks of are its evidence, without image items, for which OHIF prints "not
supported". No line is named (121071, DCM, Finding), which OHIF sets as one unbroken line.
"""

from collections.abc import Sequence
from typing import Final

import highdicom as hd
from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.uid import BasicTextSRStorage

from reports import codes
from reports.algorithm import algorithm
from reports.draft import Draft
from reports.evidence import made_instances, predecessors, rendering, replaced, source_instances
from reports.qualitative import finding, quality
from reports.sections import answer, section, sentence
from reports.segment_items import segments_in_words
from reports.sr_document import Place, opening, separate, structured_report
from reports.wording import map_note, remarks, research_note, summary

_PLACE: Final = Place("text", 900, "report")


def build(draft: Draft, page: Dataset, overlays: Sequence[Dataset]) -> Dataset:
    """The document; `page` shows it as a picture, `overlays` are what it speaks of."""
    evidence = [*source_instances(draft), *made_instances(page, *overlays)]
    before = predecessors(draft, replaced(draft.context, BasicTextSRStorage))
    document = structured_report(draft, _root(draft), evidence, _PLACE, before)
    document.SOPClassUID = BasicTextSRStorage  # highdicom writes the richer classes only
    document.ReferencedInstanceSequence = [rendering(page)]
    return draft.seal(document)


def _root(draft: Draft) -> Dataset:
    root = sr.ContainerContentItem(codes.MRI_REPORT, template_id="2000")
    root.ContentSequence = hd.sr.ContentSequence(
        [_impressions(draft), _findings(draft), _procedure(draft), *opening(draft)]
    )
    separate(root)
    return root


def _impressions(draft: Draft) -> sr.ContainerContentItem:
    return section(
        codes.IMPRESSIONS,
        [
            sentence(codes.IMPRESSION, summary(draft.context.prediction)),
            sentence(codes.COMMENT, research_note(draft.model)),
        ],
    )


def _findings(draft: Draft) -> sr.ContainerContentItem:
    value = finding(draft)
    segments = segments_in_words(draft)
    return section(
        codes.FINDINGS,
        [
            *([] if value is None else [answer(codes.SCARRED_MYOCARDIUM, value)]),
            *([sentence(codes.SUMMARY, segments)] if segments else []),
            sentence(codes.COMMENT, map_note(draft.context, draft.focus.located)),
        ],
    )


def _procedure(draft: Draft) -> sr.ContainerContentItem:
    context = draft.context
    return section(
        codes.PROCEDURE_DESCRIPTIONS,
        [
            sentence(codes.PROCEDURE_DESCRIPTION, f"Cardiac cine MR: {context.quality.completeness}"),
            answer(codes.STUDY_QUALITY, quality(draft)),
            *(sentence(codes.COMMENT, remark) for remark in remarks(context)),
            *algorithm(draft),
        ],
    )
