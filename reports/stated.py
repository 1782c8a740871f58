"""What source images state about themselves, beside patient and study, that our results repeat."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydicom.dataset import Dataset

from pipeline import PlaneSource, Study
from pipeline.header import items, number
from reports.charset import text_of
from reports.header import repaired


@dataclass(frozen=True, slots=True)
class Window:
    """Centre and width of a linear window (PS3.3 C.11.2.1.2), in modality units."""

    centre: float
    width: float


def stated(study: Study, planes: Iterable[PlaneSource]) -> str:
    """All of it in one text, of the planes that results show, for whoever must tell two inputs apart."""
    lossy = [facts.sop_instance_uid for facts in study.facts if facts.lossy]
    return repr((lossy, [_of_plane(study, plane) for plane in planes]))


def _of_plane(study: Study, plane: PlaneSource) -> tuple[object, ...]:
    instance = study.instance_of(plane.sop_instance_uid)
    frames = (frame for frame in instance.facts.frames if frame.number == plane.frame)
    said = [(frame.orientation, frame.rescale) for frame in frames]
    return said, slice_thickness(instance.header), window(instance.header, plane)


def slice_thickness(header: Dataset) -> str:
    """Slice Thickness as the source states it, wherever it does, or ""; never the slice distance."""
    shared = header.get("SharedFunctionalGroupsSequence") or [Dataset()]
    measures = shared[0].get("PixelMeasuresSequence") or [Dataset()]
    said = text_of(header, "SliceThickness") or text_of(measures[0], "SliceThickness")
    return repaired("SliceThickness", said)


def window(header: Dataset, plane: PlaneSource) -> Window | None:
    """The first valid window that the frame states."""
    for layer in _layers(header, plane):
        centre, width = number(layer, "WindowCenter"), number(layer, "WindowWidth")
        if centre is not None and width is not None and width >= 1:
            return Window(centre, width)
    return None


def _layers(header: Dataset, plane: PlaneSource) -> Iterator[Dataset]:
    """Where a window may be stated (PS3.3 C.7.6.16.2.10, C.11.2), the frame's own before what all share."""
    if plane.multiframe:
        own = items(header, "PerFrameFunctionalGroupsSequence")[plane.frame - 1 : plane.frame]
        for group in (*own, *items(header, "SharedFunctionalGroupsSequence")[:1]):
            yield from items(group, "FrameVOILUTSequence")
    yield header
