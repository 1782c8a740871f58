"""What a document cites: for its evidence, and as highdicom must know it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from pydicom.dataset import Dataset
from pydicom.uid import BasicTextSRStorage

from reports import codes
from reports.context import PriorReport, ReportContext
from reports.draft import Draft
from reports.equipment import coded
from reports.paper import Paper

# highdicom fails where the first cited object lacks these; the seal replaces them.
_INHERITED = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
)


class Citable(Protocol):
    """Whatever can be cited: a source image's plane, an earlier report, an object of this result."""

    @property
    def sop_class_uid(self) -> str:
        """Verbatim, as the two that follow."""

    @property
    def sop_instance_uid(self) -> str:
        """Of the object."""

    @property
    def series_instance_uid(self) -> str:
        """Of its series."""


@dataclass(frozen=True, slots=True)
class Made:
    """An object of this result."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str


def source_instances(draft: Draft) -> list[Citable]:
    """Every source image once."""
    return [plane for plane, _ in draft.instances()]


def made_instances(*objects: Dataset | None) -> list[Citable]:
    """Objects of this result, sealed; None is left out."""
    return [
        Made(str(made.SOPClassUID), str(made.SOPInstanceUID), str(made.SeriesInstanceUID))
        for made in objects
        if made is not None
    ]


def evidence_of(paper: Paper, objects: Iterable[Citable]) -> list[Dataset]:
    """The items of an evidence sequence: `objects`, each once, by series, all of the paper's study."""
    series: dict[str, dict[str, Dataset]] = {}
    for one in objects:
        item = Dataset()
        item.ReferencedSOPClassUID = one.sop_class_uid
        item.ReferencedSOPInstanceUID = paper.ids.of(one.sop_instance_uid)
        series.setdefault(one.series_instance_uid, {}).setdefault(one.sop_instance_uid, item)
    study = Dataset()
    study.StudyInstanceUID = paper.ids.of(paper.study_instance_uid)
    study.ReferencedSeriesSequence = [_series(paper.ids.of(uid), items) for uid, items in series.items()]
    return [study]


def _series(uid: str, items: dict[str, Dataset]) -> Dataset:
    item = Dataset()
    item.SeriesInstanceUID = uid
    item.ReferencedSOPSequence = list(items.values())
    return item


def replaced(context: ReportContext, sop_class_uid: str) -> tuple[PriorReport, ...]:
    """The earlier documents that one of this class replaces.

    Text replaces text and measurements replace measurements. Where only one of them is written, it replaces
    both, or a site that changes its mind would leave a report without a successor.
    """
    if context.options.form != "both":
        return context.priors
    is_text = sop_class_uid == BasicTextSRStorage
    return tuple(one for one in context.priors if (one.sop_class_uid == BasicTextSRStorage) == is_text)


def predecessors(paper: Paper, priors: Iterable[PriorReport]) -> list[Dataset]:
    """Reports of ours that the new one replaces (PS3.3 C.17.2)."""
    return [cited(paper, prior) for prior in priors]


def rendering(page: Dataset) -> Dataset:
    """The item of Referenced Instance Sequence for a page that shows the report (PS3.3 C.17.2)."""
    item = Dataset()
    item.ReferencedSOPClassUID = page.SOPClassUID
    item.ReferencedSOPInstanceUID = page.SOPInstanceUID
    item.PurposeOfReferenceCodeSequence = [coded(codes.PARTIAL_RENDERING)]
    return item


def cited(paper: Paper, one: Citable) -> Dataset:
    """`one` as highdicom must know it, with what it takes from the first cited object, all empty."""
    item = Dataset()
    item.SOPClassUID = one.sop_class_uid
    item.SOPInstanceUID = paper.ids.of(one.sop_instance_uid)
    item.SeriesInstanceUID = paper.ids.of(one.series_instance_uid)
    item.StudyInstanceUID = paper.ids.of(paper.study_instance_uid)
    for keyword in _INHERITED:
        setattr(item, keyword, "")
    return item
