"""A study without a result, as a structured report and a page, made from headers alone.

No voxel is needed, so that pixels nobody can decode, or that bring a process down, cannot do it again here.
There is no probability, no finding and no place.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import highdicom as hd
from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from reports import codes
from reports.context import Equipment, Report, stable_uid
from reports.evidence import made_instances, predecessors, rendering
from reports.header import taken_over
from reports.image_library import library_image, library_of, modality
from reports.not_analysed_page import page
from reports.refusal import NOT_NORMAL, SUPERSEDES, NoticeContext
from reports.seal import sealed
from reports.secondary_capture import Capture, secondary_capture
from reports.sr_document import Place, opening, separate, structured_report
from reports.stand_in import StandIns
from reports.wording import banner, research_note

_PLACE: Final = Place("not analysed", 901, "Not analysed")
_CONTAINS: Final = "CONTAINS"


@dataclass(frozen=True, slots=True, eq=False)
class _Notice:
    """The `Paper` of a notice."""

    context: NoticeContext
    key: str
    ids: StandIns = field(default_factory=StandIns)
    model: None = None

    @property
    def study_instance_uid(self) -> str:
        return self.context.study.uid

    @property
    def source_header(self) -> Dataset:
        return self.context.source_header

    @property
    def equipment(self) -> Equipment:
        return self.context.equipment

    @property
    def now(self) -> datetime:
        return self.context.now

    def uid(self, *purpose: str) -> str:
        return stable_uid(self.key, "not analysed", *purpose)

    def seal(self, dataset: Dataset) -> Dataset:
        return sealed(self, dataset)


def build_notice(context: NoticeContext) -> list[Report]:
    """See `reports.build_notice`, which loads this module when it is needed."""
    notice = _Notice(context, _key(context))
    picture = _page(notice)
    return [Report("notice", _document(notice, picture)), Report("notice-page", picture)]


def _key(context: NoticeContext) -> str:
    """All that can change a byte, so that one UID has one content (PS3.5 9)."""
    parts = (
        taken_over(context.source_header, context.study.uid),
        repr((context.images, context.refusal, context.equipment, context.priors)),
        context.config_sha256,
        context.now.isoformat(),
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _page(notice: _Notice) -> Dataset:
    capture = Capture(
        purpose="page",
        number=1,
        pixels=page(notice.context),
        sources=notice.context.images[:1],
        derivation="Page of the notice that this study was not analysed",
        series=_PLACE.description,
    )
    return notice.seal(secondary_capture(notice, capture))


def _document(notice: _Notice, picture: Dataset) -> Dataset:
    context = notice.context
    evidence = [*context.images, *made_instances(picture)]
    earlier = predecessors(notice, context.priors)
    shown = [library_image(notice, image, ()) for image in context.images]
    library = library_of([modality(), *shown])
    document = structured_report(notice, _content(notice), evidence, _PLACE, earlier, library)
    document.ReferencedInstanceSequence = [rendering(picture)]
    return notice.seal(document)


def _content(notice: _Notice) -> Dataset:
    """TID 1500 with Qualitative Evaluations (row 12), the images looked at to follow.

    Under this title OHIF shows the text; under TID 1500's own it would look for measurements to draw.
    """
    root = sr.ContainerContentItem(codes.CARDIOVASCULAR_REPORT, template_id="1500")
    words = sr.ContainerContentItem(codes.QUALITATIVE_EVALUATIONS, relationship_type=_CONTAINS)
    words.ContentSequence = hd.sr.ContentSequence(list(_words(notice.context)))
    root.ContentSequence = hd.sr.ContentSequence([*opening(notice), words])
    separate(root)
    return root


def _words(context: NoticeContext) -> Iterator[sr.TextContentItem]:
    refusal = context.refusal
    yield _text(codes.SUMMARY, f"{banner(None)}. This study was not analysed. {refusal.reason}")
    yield _text(codes.COMMENT, refusal.remedy)
    yield _text(codes.COMMENT, NOT_NORMAL)
    if context.priors:
        yield _text(codes.COMMENT, SUPERSEDES)
    yield _text(codes.COMMENT, research_note(None))


def _text(name: Code, value: str) -> sr.TextContentItem:
    return sr.TextContentItem(name, value, relationship_type=_CONTAINS)
