"""The 17 segments as a bull's-eye (Cerqueira et al., Circulation 2002;105:539), in the overlay's colours.

Seen from the apex: basal segments outside, the anterior wall on top, the septum on the left.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from reports.lettering import BLACK, WHITE, Colour, typeface
from reports.overlay import colours
from reports.page_style import GREY, PAPER, RULE
from reports.segment_saliency import SegmentSaliency

# Outer radii of apex, apical, mid and basal ring, as shares of the picture's side.
_RADII: Final = (0.08, 0.205, 0.33, 0.455)
_RV_DEG: Final = (120.0, 240.0)
_FINER: Final = 2
_HATCH: Final = 4  # pixels a stripe is wide; twice as much between stripes
_STRIPE: Final = 18  # the number of the hatching's ink, after the segments' own


def bullseye(saliency: SegmentSaliency, side: int) -> Image.Image:
    """A square of `side` pixels: every covered segment in the colour of its value, the others hatched."""
    image = _sectors(saliency, side)
    draw = ImageDraw.Draw(image)
    values = dict(saliency.values)
    for segment in range(1, 18):
        _label(draw, segment, values.get(segment), side)
    for angle in _RV_DEG:
        _insertion(draw, angle, side)
    middle, edge = side / 2, 9
    draw.text((middle, edge), "anterior", font=typeface(15), fill=GREY, anchor="mm")
    draw.text((middle, side - edge), "inferior", font=typeface(15), fill=GREY, anchor="mm")
    _upright(image, "septal", edge, 90)
    _upright(image, "lateral", side - edge, 270)
    return image


def place_of(segment: int, side: int) -> tuple[float, float]:
    """(x, y) of a segment's middle in a bull's-eye of `side` pixels."""
    if segment == 17:
        return side / 2, side / 2
    ring, angle = _ring_and_angle(segment)
    radius = (_RADII[ring - 1] + _RADII[ring]) / 2
    return _at(angle, radius, side)


def _ring_and_angle(segment: int) -> tuple[int, float]:
    """Ring (1 apical, 2 mid, 3 basal) and angle of a segment's middle, counter-clockwise from lateral."""
    if segment > 12:
        return 1, 90.0 + 90.0 * (segment - 13)
    return (3 if segment <= 6 else 2), 90.0 + 60.0 * ((segment - 1) % 6)


def _at(angle_deg: float, radius: float, side: int) -> tuple[float, float]:
    turn = np.radians(angle_deg)
    return side * (0.5 + radius * float(np.cos(turn))), side * (0.5 - radius * float(np.sin(turn)))


def _sectors(saliency: SegmentSaliency, side: int) -> Image.Image:
    """The coloured plate without lettering, drawn finer and averaged, so that its edges are smooth."""
    ink = np.tile(np.array(PAPER, np.uint8), (_STRIPE + 1, 1))
    for segment, value in saliency.values:
        ink[segment] = np.rint(255.0 * colours(np.asarray(value)))
    ink[_STRIPE] = RULE
    numbers = _numbers(side * _FINER)
    if saliency.missing:
        row, column = np.ogrid[: numbers.shape[0], : numbers.shape[1]]
        stripes = (row + column) // (_HATCH * _FINER) % 3 == 0
        numbers = np.where(stripes & np.isin(numbers, saliency.missing), _STRIPE, numbers)
    return Image.fromarray(ink[numbers]).reduce(_FINER)


@cache
def _numbers(size: int) -> NDArray[np.uint8]:
    """The segment at every place of a square of `size` pixels; 0 outside and on the borders between."""
    share = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    right, up = share[None, :], -share[:, None]
    radius, angle = np.hypot(right, up), np.degrees(np.arctan2(up, right))
    six = (1 + (angle - 60.0) % 360.0 // 60.0).astype(np.uint8)
    four = (13 + (angle - 45.0) % 360.0 // 90.0).astype(np.uint8)
    apex, apical, mid, basal = _RADII
    rings = [radius <= apex, radius <= apical, radius <= mid, radius <= basal]
    numbers = np.select(rings, [np.uint8(17), four, six + np.uint8(6), six], np.uint8(0)).astype(np.uint8)
    border = np.zeros(numbers.shape, np.bool_)
    for axis in (0, 1):
        for step in (-_FINER, _FINER):
            border |= np.roll(numbers, step, axis) != numbers
    numbers[border] = 0
    return numbers


def _label(draw: ImageDraw.ImageDraw, segment: int, value: float | None, side: int) -> None:
    """The segment's number, and below it its value."""
    x, y = place_of(segment, side)
    if value is None:
        draw.text(
            (x, y), str(segment), font=typeface(17), fill=GREY, anchor="mm", stroke_width=4, stroke_fill=PAPER
        )
        return
    ink = ink_on(value)
    draw.text((x, y - 11), str(segment), font=typeface(13), fill=ink, anchor="mm")
    draw.text((x, y + 6), f"{value:.2f}", font=typeface(17, bold=True), fill=ink, anchor="mm")


def ink_on(value: float) -> Colour:
    """Black or white, whichever stands out from the colour of `value`."""
    luminance = float(colours(np.asarray(value)) @ np.array((0.2126, 0.7152, 0.0722)))
    return BLACK if luminance > 0.42 else WHITE


def _insertion(draw: ImageDraw.ImageDraw, angle_deg: float, side: int) -> None:
    """A tick where an insertion of the right ventricle is taken to be."""
    start, end = (_at(angle_deg, _RADII[-1] + out, side) for out in (0.008, 0.045))
    draw.line((*start, *end), fill=WHITE, width=4)
    draw.text((end[0] - 8, end[1]), "RV insertion", font=typeface(14), fill=WHITE, anchor="rm")


def _upright(image: Image.Image, text: str, x: int, turn: int) -> None:
    """`text` turned by `turn` degrees, its middle at (x, middle of the picture)."""
    font = typeface(15)
    width = int(font.getlength(text)) + 4
    strip = Image.new("RGB", (width, 18), PAPER)
    ImageDraw.Draw(strip).text((width / 2, 9), text, font=font, fill=GREY, anchor="mm")
    strip = strip.rotate(turn, expand=True)
    image.paste(strip, (x - strip.width // 2, (image.height - strip.height) // 2))
