"""One attention overlay per slice, where it lies in the patient."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from highdicom.sc import SCImage
from PIL import Image, ImageDraw
from pydicom.dataset import Dataset

from reports import placement
from reports.draft import Draft
from reports.lettering import WHITE, colour_bar, outlined
from reports.overlay import Picture, blend, upscaling
from reports.secondary_capture import Capture, secondary_capture
from reports.source_image import lossy
from reports.wording import banner

# The page is instance 1 of the series.
_FIRST_NUMBER = 2
# Enlarging lets other threads run, setting type does not.
_PAINTERS = 2


def build(draft: Draft) -> list[Dataset]:
    """The overlays, base to apex, at the phase of maximal attention; none without a map."""
    if not draft.focus.located:
        return []
    _, slices, rows, columns = draft.context.volume.voxels.shape
    factor, phase = upscaling(rows, columns), draft.focus.phase
    with ThreadPoolExecutor(_PAINTERS) as painters:
        pictures = painters.map(lambda slice_: lettered(draft, phase, slice_, factor), range(slices))
        return [_overlay(draft, slice_, factor, picture) for slice_, picture in enumerate(pictures)]


def _overlay(draft: Draft, slice_: int, factor: int, picture: Picture) -> Dataset:
    model = draft.context.prediction.model
    capture = Capture(
        purpose=f"attention {slice_}",
        number=_FIRST_NUMBER + slice_,
        pixels=picture,
        sources=[draft.source_at(draft.focus.phase, slice_)],
        derivation=f"{draft.words.title} of {model.name} {model.version} blended over the source image",
        series=draft.words.name,
    )
    image = secondary_capture(draft, capture)
    image.LossyImageCompression = lossy(draft)
    _place(image, draft, slice_, factor)
    return draft.seal(image)


def _place(image: SCImage, draft: Draft, slice_: int, factor: int) -> None:
    """Image Plane and Frame of Reference, as cross-reference lines need them."""
    geometry = draft.context.volume.geometry
    image.ImagePositionPatient = placement.position(draft, slice_, factor)
    image.ImageOrientationPatient = placement.orientation(draft)
    image.PixelSpacing = placement.spacing(draft, factor)
    through = float(np.dot(geometry.origins_mm[slice_], geometry.directions[0]))
    image.SliceLocation = placement.decimals(through)[0]
    thickness = placement.thickness(draft, slice_)
    if thickness:
        image.SliceThickness = thickness
    placement.in_frame_of_reference(image, draft)


def lettered(
    draft: Draft, phase: int, slice_: int, factor: int, window: tuple[float, float] | None = None
) -> Picture:
    """One plane under its attention, with its legend in the corners: nothing of the patient's identity."""
    image = Image.fromarray(_blended(draft, phase, slice_, factor, window))
    draw = ImageDraw.Draw(image)
    height = image.height
    size = max(14, height // 32)
    margin = size // 2
    phases, slices = draft.context.volume.voxels.shape[:2]
    model = draft.context.prediction.model
    corners = (
        (f"{model.name} {model.version} {draft.words.name}", margin, "la"),
        (f"slice {slice_ + 1} of {slices} (1 = base)", margin + 1.4 * size, "la"),
        (f"phase {phase + 1} of {phases}", margin + 2.8 * size, "la"),
        ("RESEARCH ONLY", height - margin, "ld"),
    )
    for text, top, anchor in corners:
        outlined(draw, (margin, top), text, size, anchor)
    if model.demonstration:
        outlined(draw, (margin, height - margin - 1.4 * size), banner(model), size * 3 // 4, "ld")
    _scale(image, draw, size)
    return np.asarray(image)


def _blended(
    draft: Draft, phase: int, slice_: int, factor: int, window: tuple[float, float] | None = None
) -> Picture:
    attention = draft.context.prediction.attention
    return blend(
        draft.context.volume.voxels[phase, slice_],
        None if attention is None else attention[phase, slice_],
        factor,
        window,
    )


def _scale(image: Image.Image, draw: ImageDraw.ImageDraw, size: int) -> None:
    """The colour bar with its numbers, at the right edge."""
    width, height = image.size
    bar = colour_bar(size, height // 3)
    left, top = width - size // 2 - bar.width, (height - bar.height) // 2
    draw.rectangle((left - 1, top - 1, left + bar.width, top + bar.height), outline=WHITE)
    image.paste(bar, (left, top))
    for value in (0.0, 0.5, 1.0):
        y = top + (1.0 - value) * (bar.height - 1)
        outlined(draw, (left - size // 3, y), f"{value:g}", size * 3 // 4, "rm")
