"""Where images lie in the patient, read from their headers alone (PS3.3 C.7.6.2.1.1), LPS mm."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

Point = NDArray[np.float64]


def at(image: Dataset, frame: int, row: float, column: float) -> Point:
    """The place of a pixel, counted from 0, of a frame, counted from 1."""
    cosines = _numbers(image, frame, "PlaneOrientationSequence", "ImageOrientationPatient")
    corner = _numbers(image, frame, "PlanePositionSequence", "ImagePositionPatient")
    between_rows, between_columns = _numbers(image, frame, "PixelMeasuresSequence", "PixelSpacing")
    return corner + cosines[:3] * between_columns * column + cosines[3:] * between_rows * row


def centre(image: Dataset, frame: int) -> Point:
    """The middle of a frame."""
    return at(image, frame, (image.Rows - 1) / 2, (image.Columns - 1) / 2)


def normal(image: Dataset, frame: int) -> Point:
    """The direction of rows times columns."""
    cosines = _numbers(image, frame, "PlaneOrientationSequence", "ImageOrientationPatient")
    crossed: Point = np.cross(cosines[:3], cosines[3:])
    return crossed


def _numbers(image: Dataset, frame: int, group: str, keyword: str) -> Point:
    if keyword in image:
        return np.array(image[keyword].value, float)
    groups = image.PerFrameFunctionalGroupsSequence[frame - 1]
    holder: Any = groups if group in groups else image.SharedFunctionalGroupsSequence[0]
    return np.array(holder[group].value[0][keyword].value, float)
