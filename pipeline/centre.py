"""Where the heart is, without a network: by the planes of the long-axis cines, else by what moves."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.centre_planes import plane_crossing
from pipeline.volume import CineVolume

if TYPE_CHECKING:
    from pipeline.study import Study


@dataclass(frozen=True, slots=True)
class Centre:
    """The heart's centre in pixels of the volume (from 0), one for the whole stack, and how it was found.

    `guessed` is True where nothing showed the heart and the image's centre stands in for it.
    """

    row: float
    column: float
    rule: str
    guessed: bool = False


def heart_centre(volume: CineVolume, study: "Study | None" = None, *, margin_mm: float = 64.0) -> Centre:
    """The centre of the left ventricle in `volume`.

    Where the study holds a two- and a four-chamber series, their planes' crossing with the middle slice;
    else the disc that moving edges surround; else the image's centre. Pulled inwards so that `margin_mm`
    about it stays in the image, where the image is large enough.
    """
    from pipeline.centre_motion import moving_disc  # SimpleITK: what only names a Centre does without it

    rows, columns = volume.voxels.shape[2:]
    guessed = False
    if study is not None and (found := plane_crossing(volume, study)):
        rule = "crossing of the 2-chamber, 4-chamber and short-axis planes"
    elif found := moving_disc(volume):
        rule = "disc surrounded by moving edges"
    else:
        found, rule = ((rows - 1) / 2, (columns - 1) / 2), "centre of the image, as nothing moves"
        guessed = True
    _, row_mm, column_mm = volume.geometry.spacing_mm
    row = _inside(found[0], rows, margin_mm / row_mm)
    column = _inside(found[1], columns, margin_mm / column_mm)
    return Centre(row, column, rule, guessed)


def _inside(place: float, size: int, margin: float) -> float:
    margin = min(margin, (size - 1) / 2)
    return float(min(max(place, margin), size - 1 - margin))
