"""One attention overlay per slice that plays through all phases, beside the cine."""

from functools import partial
from typing import Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import MultiFrameTrueColorSecondaryCaptureImageStorage

from reports import placement
from reports.attention_sc import lettered
from reports.draft import Draft
from reports.film import Film
from reports.overlay import Picture, upscaling, window_of
from reports.secondary_capture import Capture, secondary_capture
from reports.source_image import lossy

SERIES_NUMBER: Final = 908
_FRAME_TIME: Final = Tag("FrameTime")


def build(draft: Draft) -> list[Dataset]:
    """Multi-frame True Color SC images (PS3.3 A.8.5), base to apex, frames in time order; none without a map.

    Uncompressed: every archive takes that, and compresses as it likes.
    """
    if not draft.focus.located:
        return []
    return [_overlay(draft, slice_) for slice_ in range(draft.context.volume.voxels.shape[1])]


def _overlay(draft: Draft, slice_: int) -> Dataset:
    volume, model = draft.context.volume, draft.context.prediction.model
    phases, _, rows, columns = volume.voxels.shape
    factor = upscaling(rows, columns)
    blank = np.zeros((rows * factor, columns * factor, 3), np.uint8)
    capture = Capture(
        purpose=f"attention cine {slice_}",
        number=slice_ + 1,
        pixels=blank,
        sources=[draft.source_at(phase, slice_) for phase in range(phases)],
        derivation=f"{draft.words.title} of {model.name} {model.version} blended over the source images: "
        "frame n shows item n of Source Image Sequence",
        series=draft.words.name,
    )
    image = secondary_capture(draft, capture)
    image.SOPClassUID = MultiFrameTrueColorSecondaryCaptureImageStorage
    image.SeriesInstanceUID, image.SeriesNumber = draft.uid("cine sc", "series"), SERIES_NUMBER
    image.LossyImageCompression = lossy(draft)
    _place(image, draft, slice_, factor)
    _animate(image, draft, slice_)
    # one grey scale for all frames, or the picture would flicker
    draw = partial(_frame, draft, slice_, factor, window_of(volume.voxels[:, slice_]))
    image.add_new(Tag("PixelData"), "OB", Film(phases, blank.nbytes, draw))
    return draft.seal(image)


def _frame(draft: Draft, slice_: int, factor: int, window: tuple[float, float], phase: int) -> Picture:
    return lettered(draft, phase, slice_, factor, window)


def _place(image: Dataset, draft: Draft, slice_: int, factor: int) -> None:
    """The functional groups that this IOD has (PS3.3 table A.8-5b): measures, orientation, position."""
    measures, direction = Dataset(), Dataset()
    measures.PixelSpacing = placement.spacing(draft, factor)
    if thickness := placement.thickness(draft, slice_):
        measures.SliceThickness = thickness
    direction.ImageOrientationPatient = placement.orientation(draft)
    shared = Dataset()
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [direction]
    image.SharedFunctionalGroupsSequence = [shared]
    image.PerFrameFunctionalGroupsSequence = [
        _frame_position(draft, slice_, factor) for _ in range(len(draft.context.volume.sources))
    ]
    placement.in_frame_of_reference(image, draft)


def _frame_position(draft: Draft, slice_: int, factor: int) -> Dataset:
    place, frame = Dataset(), Dataset()
    place.ImagePositionPatient = placement.position(draft, slice_, factor)
    frame.PlanePositionSequence = [place]
    return frame


def _animate(image: Dataset, draft: Draft, slice_: int) -> None:
    """Multi-frame and Cine (PS3.3 C.7.6.6, C.7.6.5): one beat in its own time, over and over.

    What stands for the whole is the phase of maximal attention.
    """
    volume = draft.context.volume
    phases = len(volume.sources)
    frame_ms = volume.rr_ms[slice_] / phases
    image.NumberOfFrames = phases
    image.FrameIncrementPointer = _FRAME_TIME
    image.FrameTime = placement.decimals(round(frame_ms, 3))[0]
    image.PreferredPlaybackSequencing = 0
    image.RecommendedDisplayFrameRate = max(1, round(1000.0 / frame_ms))
    image.RepresentativeFrameNumber = draft.focus.phase + 1
