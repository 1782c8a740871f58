"""The report in words (TID 1500 row 12): the first thing a reader of the tree sees."""

from highdicom import sr
from pydicom.sr.coding import Code

from reports import codes
from reports.draft import Draft
from reports.sections import answer, section, sentence
from reports.wording import map_note, remarks, research_note, summary


def qualitative_evaluations(draft: Draft) -> sr.ContainerContentItem:
    """Summary, input, what the map is, finding and quality; highdicom has no such part."""
    context = draft.context
    comments = (
        f"Input: {context.quality.completeness}",
        *remarks(context),
        map_note(context, draft.focus.located),
        research_note(context.prediction.model),
    )
    value = finding(draft)
    items = [
        sentence(codes.SUMMARY, summary(context.prediction)),
        *(sentence(codes.COMMENT, comment) for comment in comments),
        *([] if value is None else [answer(codes.SCARRED_MYOCARDIUM, value)]),
        answer(codes.STUDY_QUALITY, quality(draft)),
    ]
    return section(codes.QUALITATIVE_EVALUATIONS, items)


def quality(draft: Draft) -> Code:
    """How far the input can be trusted (CID 7036)."""
    return codes.LIMITED_QUALITY if draft.context.quality.limited else codes.DIAGNOSTIC_QUALITY


def finding(draft: Draft) -> Code | None:
    """Present, Absent or Undetermined (CID 240); None if the site wants no coded finding.

    Limited input can show scar but cannot exclude it.
    """
    if not draft.context.options.finding_code:
        return None
    if draft.context.prediction.positive:
        return codes.PRESENT
    return codes.UNDETERMINED if draft.context.quality.limited else codes.ABSENT
