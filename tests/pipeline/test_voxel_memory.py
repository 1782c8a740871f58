"""The memory of a volume is used again, and never while anybody still looks at it."""

import weakref

import numpy as np
import pytest

from pipeline import VoxelMemory

SHAPE = (5, 4, 8, 8)


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def test_memory_that_nobody_looks_at_is_given_again() -> None:
    memory = VoxelMemory()
    voxels = memory.room_for(SHAPE)
    before = address(voxels)
    voxels.setflags(write=False)  # as a volume's are
    del voxels
    smaller = memory.room_for((2, 4, 8, 8))
    assert (address(smaller), smaller.shape, smaller.dtype) == (before, (2, 4, 8, 8), np.float32)
    assert smaller.flags.writeable
    assert smaller.flags.c_contiguous


@pytest.mark.parametrize("cut", ["whole", "plane", "turned", "viewed"])
def test_what_somebody_still_looks_at_is_not_written_to(cut: str) -> None:
    memory = VoxelMemory()
    voxels = memory.room_for(SHAPE)
    voxels[:] = 7.0
    kept = {
        "whole": voxels,
        "plane": voxels[2, 1],
        "turned": voxels[:, :, ::-1].transpose(1, 0, 2, 3)[0],
        "viewed": np.asarray(memoryview(voxels)),
    }[cut]
    del voxels
    memory.room_for(SHAPE)[:] = 9.0
    assert (kept == 7.0).all()
    before = address(kept)
    del kept
    assert address(memory.room_for(SHAPE)) != before, "the newer one is kept"


def test_a_larger_volume_gets_memory_of_its_own() -> None:
    memory = VoxelMemory()
    memory.room_for(SHAPE)
    larger = memory.room_for((10, 4, 8, 8))
    larger[:] = 1.0
    assert larger.shape == (10, 4, 8, 8)


@pytest.mark.parametrize(("shape", "is_kept"), [(SHAPE, True), ((70, 1, 1000, 1000), False)])
def test_of_a_very_large_volume_nothing_is_kept(shape: tuple[int, ...], is_kept: bool) -> None:
    memory = VoxelMemory()
    voxels = memory.room_for(shape)
    assert voxels.base is not None
    owner = weakref.ref(voxels.base)
    del voxels
    assert (owner() is not None) == is_kept
