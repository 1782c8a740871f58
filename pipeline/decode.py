"""Stored pixels to modality units, one plane at a time."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array

from pipeline.codestream import refuse_contradiction
from pipeline.errors import UnreadableInstance
from pipeline.header import UNREADABLE, text, whole
from pipeline.planes import Plane
from pipeline.reading import brief, refuse_bombs
from pipeline.stored import stored_pixels
from pipeline.study import Study


class PixelReader:
    """Reads the planes of one study, for any thread; keeps the last multi-frame file open in memory."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._kept: tuple[str, Dataset] | None = None

    def read(self, plane: Plane, place: str, out: NDArray[np.float32]) -> None:
        """The plane into `out` (row, column), in modality units (PS3.3 C.11.1).

        MONOCHROME1 is inverted within the stored range, so that bright is always high. Pixels that lie in the
        file as they are, where the facts say, are read from there; others are decoded.

        Raises:
            UnreadableInstance: the pixels cannot be decoded, or are not what the header says; the message
                begins with `place`.
        """
        if plane.frame.rescale is None:
            raise UnreadableInstance(f"{place}: the rescale slope or intercept is not a number")
        try:
            path = self._study.instance_of(plane.instance.sop_instance_uid).path
            stored = stored_pixels(path, plane.instance, plane.frame.number)
            stored = self._decoded(plane, path) if stored is None else stored
        except UnreadableInstance:
            raise
        except UNREADABLE as error:
            raise UnreadableInstance(f"{place}: the pixels cannot be decoded: {brief(error)}") from error
        if stored.shape != (plane.instance.rows, plane.instance.columns):
            promised = f"{plane.instance.rows} x {plane.instance.columns}"
            raise UnreadableInstance(
                f"{place}: the header promises {promised} pixels, the data has another size"
            )
        _rescaled(stored, *plane.frame.rescale, place, out)

    def _decoded(self, plane: Plane, path: Path) -> NDArray[np.generic]:
        dataset = self._dataset(plane, path)
        index = plane.frame.number - 1 if plane.instance.multi_frame else 0
        inverted = _is_inverted(dataset)
        refuse_contradiction(dataset, index)
        stored = np.asarray(pixel_array(dataset, index=index, raw=True))
        return _inverted(stored, dataset) if inverted else stored

    def _dataset(self, plane: Plane, path: Path) -> Dataset:
        uid, kept = plane.instance.sop_instance_uid, self._kept
        if kept is not None and kept[0] == uid:
            return kept[1]
        dataset = _read(path)
        self._kept = (uid, dataset) if plane.instance.multi_frame else None
        return dataset


def _read(path: Path) -> Dataset:
    refuse_bombs(path)
    return dcmread(path)


def _is_inverted(dataset: Dataset) -> bool:
    """MONOCHROME1 says that low values are bright (PS3.3 C.7.6.3.1.2); no decoder is asked for colours."""
    photometric = text(dataset, "PhotometricInterpretation").upper()
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise ValueError(f"photometric interpretation {photometric or 'missing'}")
    samples = whole(dataset, "SamplesPerPixel") or 1
    if samples != 1:
        raise ValueError(f"{samples} samples per pixel")
    return photometric == "MONOCHROME1"


def _inverted(stored: NDArray[np.generic], dataset: Dataset) -> NDArray[np.generic]:
    bits, signed = whole(dataset, "BitsStored") or 16, whole(dataset, "PixelRepresentation") == 1
    return np.asarray((-1 if signed else 2**bits - 1) - stored.astype(np.int64))


def _rescaled(
    stored: NDArray[np.generic], slope: float, intercept: float, place: str, out: NDArray[np.float32]
) -> None:
    if (slope, intercept) == (1.0, 0.0) and stored.dtype.itemsize <= 2:
        out[:] = stored  # every 16-bit number is a float32
        return
    plane = stored.astype(np.float64) * slope + intercept
    if not np.isfinite(plane).all() or np.abs(plane).max(initial=0.0) > np.finfo(np.float32).max:
        raise UnreadableInstance(f"{place}: the pixel values are not finite numbers")
    out[:] = plane
