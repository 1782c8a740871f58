"""Predictions in, DICOM objects out: a structured report and a series of secondary captures.

highdicom and the drawing libraries are loaded by `build_reports` when it is called, so that whoever only
recasts or prints a report stays small.
"""

from functools import cache

from reports.context import Equipment, InputQuality, PriorReport, Report, ReportContext
from reports.created import CodeUse, CreatedObject, Creation, Repair, Row
from reports.errors import ReportError
from reports.options import AttentionImages, ExtraObject, ReportForm, ReportOptions
from reports.refusal import Cause, NoticeContext, Refusal
from reports.sr_class import SR_CLASSES, as_sr_class, sr_forms
from reports.sr_text import sr_text

__all__ = [
    "SR_CLASSES",
    "AttentionImages",
    "Cause",
    "CodeUse",
    "CreatedObject",
    "Creation",
    "Equipment",
    "ExtraObject",
    "InputQuality",
    "NoticeContext",
    "PriorReport",
    "Refusal",
    "Repair",
    "Report",
    "ReportContext",
    "ReportError",
    "ReportForm",
    "ReportOptions",
    "Row",
    "as_sr_class",
    "build_notice",
    "build_reports",
    "created_objects",
    "sr_forms",
    "sr_text",
]


def build_notice(context: NoticeContext) -> list[Report]:
    """That a study was not analysed, and why: a report and a page. Equal contexts give equal bytes.

    Raises:
        ReportError: the notice cannot be written.
    """
    from reports.not_analysed import build_notice as build

    return build(context)


def build_reports(context: ReportContext) -> list[Report]:
    """Everything one prediction leaves in the archive, in the order it should be sent.

    The structured report first, then the summary page, then one attention overlay per slice. Equal contexts
    give equal bytes.

    Raises:
        ReportError: the prediction cannot be reported on this volume.
    """
    from reports.build import build_reports as build

    return build(context)


@cache
def created_objects() -> Creation:
    """What every object that we can write consists of, found by writing them all; takes some seconds."""
    from reports.specimen.describe import describe
    from reports.specimen.runs import all_runs

    return describe(all_runs())
