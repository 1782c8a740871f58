"""QIICR's dcmqi, which 3D Slicer reads derived images with: what it makes of ours."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Values (slice, row, column) with the place of every one (LPS, mm), in dcmqi's own order of slices."""

    image: Any

    @property
    def values(self) -> NDArray[Any]:
        values: NDArray[Any] = sitk.GetArrayFromImage(self.image)
        return values

    def slice_at(self, position_mm: Point) -> NDArray[Any]:
        """The plane whose first pixel lies there; fails if its centre does not."""
        column, row, slice_ = self.image.TransformPhysicalPointToContinuousIndex(position_mm)
        assert np.allclose((column, row, slice_ - round(slice_)), 0.0, atol=1e-3), (column, row, slice_)
        plane: NDArray[Any] = self.values[round(slice_)]
        return plane


def paramap2itkimage(path: Path, folder: Path) -> Grid:
    """A Parametric Map as dcmqi reads it."""
    return _converted("paramap2itkimage", path, folder)


def segimage2itkimage(path: Path, folder: Path) -> Grid:
    """The one segment of a Segmentation as dcmqi reads it."""
    return _converted("segimage2itkimage", path, folder)


def tid1500reader(path: Path, folder: Path) -> dict[str, Any]:
    """What dcmqi makes of a TID 1500 report."""
    said = folder / "tid1500.json"
    _run("tid1500reader", "--inputDICOM", str(path), "--outputMetadata", str(said))
    found: dict[str, Any] = json.loads(said.read_text(encoding="utf-8"))
    return found


def _converted(name: str, path: Path, folder: Path) -> Grid:
    folder.mkdir(parents=True)
    _run(name, "--inputDICOM", str(path), "--outputDirectory", str(folder))
    (volume,) = folder.glob("*.nrrd")
    return Grid(sitk.ReadImage(str(volume)))


def _run(name: str, *arguments: str) -> None:
    command = [str(Path(sys.executable).with_name(name)), *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, f"{name} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
