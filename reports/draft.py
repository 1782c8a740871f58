"""A result on its way: the context, what is cited, and the last steps every object takes."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pydicom.dataset import Dataset

from models import ModelIdentity
from pipeline import PlaneSource
from reports.context import Equipment, ReportContext, stable_uid
from reports.errors import ReportError
from reports.focus import Focus, focus_of
from reports.header import taken_over
from reports.map_words import MAP_WORDS, MapWords
from reports.seal import sealed
from reports.segment_saliency import SegmentSaliency, segment_saliency
from reports.stand_in import StandIns
from reports.stated import stated


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """One context with what its objects share. highdicom sees UIDs through `ids` and never the patient."""

    context: ReportContext
    focus: Focus
    segments: SegmentSaliency
    key: str
    ids: StandIns = field(default_factory=StandIns)

    @classmethod
    def of(cls, context: ReportContext) -> "Draft":
        """Begin.

        Raises:
            ReportError: the map does not fit the volume, or the model answers another question than ours.
        """
        label = context.prediction.model.label
        if "scar" not in label.lower():
            raise ReportError(
                f"the model was trained to predict {label!r}; this report can only speak of scar"
            )
        focus = focus_of(context)
        segments = segment_saliency(context)
        return cls(context, focus, segments, _key(context, focus, segments))

    def uid(self, *purpose: str) -> str:
        """A deterministic UID for one object or series of this result."""
        return stable_uid(self.key, *purpose)

    @property
    def study_instance_uid(self) -> str:
        """The study, verbatim."""
        return self.context.volume.study_instance_uid

    @property
    def equipment(self) -> Equipment:
        """Who signs."""
        return self.context.equipment

    @property
    def model(self) -> ModelIdentity:
        """Whose answer it is."""
        return self.context.prediction.model

    @property
    def words(self) -> MapWords:
        """What the map is called."""
        return MAP_WORDS[self.context.prediction.explained_by]

    @property
    def now(self) -> datetime:
        """The job's stopped clock."""
        return self.context.now

    @property
    def source_header(self) -> Dataset:
        """The header the results take patient, study and scanner from."""
        return self.context.study.header_of(self.context.volume.sources[0][0].sop_instance_uid)

    def source_at(self, phase: int, slice_: int) -> PlaneSource:
        """The frame a plane of the volume was read from."""
        return self.context.volume.sources[phase][slice_]

    def instances(self) -> Iterator[tuple[PlaneSource, tuple[int, ...]]]:
        """Every source instance once, slice by slice, with the frames used of it (() if single-frame)."""
        frames: dict[str, list[int]] = {}
        first: dict[str, PlaneSource] = {}
        for planes in zip(*self.context.volume.sources, strict=True):
            for plane in planes:
                first.setdefault(plane.sop_instance_uid, plane)
                frames.setdefault(plane.sop_instance_uid, []).append(plane.frame)
        for uid, plane in first.items():
            yield plane, tuple(sorted(set(frames[uid]))) if plane.multiframe else ()

    def seal(self, dataset: Dataset) -> Dataset:
        """`dataset` as highdicom left it, made ours: see `reports.seal.sealed`."""
        return sealed(self, dataset)


def _key(context: ReportContext, focus: Focus, segments: SegmentSaliency) -> str:
    """All one UID stands for: the fingerprint, what long-axis views say of the segments, and the headers."""
    source = context.study.header_of(context.volume.sources[0][0].sop_instance_uid)
    parts = (
        context.fingerprint,
        repr(segments),
        taken_over(source, context.volume.study_instance_uid),
        stated(context.study, context.volume.sources[focus.phase]),
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
