"""From 300 stored images to a (phase, slice, row, column) float32 volume.

Ours as the worker does it: the index knows positions, times and where the pixels lie; each file is looked at
to see that it is still the same one; the stack is found by geometry; the volume lies where the last one did.
The others sort by position and time, into new memory.
"""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread

from benchmarks.bars import Bar
from benchmarks.phantom_study import write_study
from benchmarks.timing import timed
from benchmarks.tree import Brake
from pipeline import InstanceFacts, VoxelMemory, assemble, find_stack, read_facts, read_study

BRAKE = Brake("pipeline/stored.py", "stored_pixels", 0.001)
_RUNS = 9
_WANTED = 1 / 8
_OURS, _PYDICOM, _GDCM = "ours", "a loop over pydicom's pixel_array", "a loop over GDCM's ImageReader"

Array = NDArray[np.float32]
Placed = tuple[float, float, Array]


def measure() -> list[Bar]:
    """Ours against the two loops; all three must give the same voxels."""
    with tempfile.TemporaryDirectory() as folder:
        paths = write_study(Path(folder))
        known, memory = {path: read_facts(path) for path in paths}, VoxelMemory()
        ways: dict[str, Callable[[], Array]] = {
            _OURS: lambda: _ours(paths, known, memory),
            _PYDICOM: lambda: _in_place(map(_by_pydicom, paths)),
            _GDCM: lambda: _in_place(map(_by_gdcm, paths)),
        }
        ours, *others = (way() for way in ways.values())
        if not all(_same(ours, other) for other in others):
            raise ValueError("the volumes differ")
        taken = timed(ways, _RUNS)
    note = "300 files of 131 kB; the page cache holds them"
    return [
        Bar("300 images to a volume", against, "s", taken[_OURS], taken[against], _WANTED, "lower", note)
        for against in (_PYDICOM, _GDCM)
    ]


def _same(ours: Array, other: Array) -> bool:
    """A loop knows the slices' order, but not which end is the base."""
    return np.array_equal(ours, other) or np.array_equal(ours, other[:, ::-1])


def _ours(paths: list[Path], known: Mapping[Path, InstanceFacts], memory: VoxelMemory) -> Array:
    study = read_study(paths, known)
    return assemble(study, find_stack(study.facts), allow_missing=True, memory=memory).voxels


def _by_pydicom(path: Path) -> Placed:
    image = dcmread(path)
    normal = np.cross(image.ImageOrientationPatient[:3], image.ImageOrientationPatient[3:])
    depth = float(normal @ np.asarray(image.ImagePositionPatient, float))
    return depth, float(image.TriggerTime), image.pixel_array.astype(np.float32)


def _by_gdcm(path: Path) -> Placed:
    import gdcm

    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    reader.Read()
    image = reader.GetImage()
    said = gdcm.StringFilter()
    said.SetFile(reader.GetFile())
    cosines = image.GetDirectionCosines()
    depth = float(np.cross(cosines[:3], cosines[3:]) @ np.asarray(image.GetOrigin()))
    stored = np.frombuffer(image.GetBuffer().encode("utf-8", "surrogateescape"), "<u2")
    pixels = stored.reshape(image.GetDimension(1), image.GetDimension(0)).astype(np.float32)
    return depth, float(said.ToString(gdcm.Tag(0x0018, 0x1060))), pixels


def _in_place(planes: Iterable[Placed]) -> Array:
    slices = defaultdict(list)
    for depth, trigger_ms, pixels in planes:
        slices[round(depth, 2)].append((trigger_ms, pixels))
    ordered = [[pixels for _, pixels in sorted(slices[at], key=lambda one: one[0])] for at in sorted(slices)]
    return np.stack([np.stack(phases) for phases in ordered], axis=1)
