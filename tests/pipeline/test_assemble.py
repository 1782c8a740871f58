"""A stack and its files become one volume, and whatever was done to it is said."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread

from pipeline import (
    CineVolume,
    IncompleteCine,
    Study,
    UnreadableInstance,
    VoxelMemory,
    assemble,
    find_stack,
    read_study,
)
from pipeline.resample import blends, resample
from tests.pipeline.files import splice, write_cine

Files = Callable[[str], list[Path]]
TIMES = [40.0 * phase for phase in range(20)]


class OfAnother(VoxelMemory):
    """What lies in it is not to be seen."""

    def room_for(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        voxels = super().room_for(shape)
        voxels[:] = np.nan
        return voxels


def volume_of(paths: list[Path], *, allow_missing: bool = False) -> CineVolume:
    study = read_study(paths)
    stack = find_stack(study.facts)
    volume = assemble(study, stack, allow_missing=allow_missing, memory=OfAnother())
    assert not np.isnan(volume.voxels).any(), "every voxel is the study's own"
    return volume


@pytest.fixture(scope="module")
def hfi4(sunnybrook: Files) -> Study:
    return read_study(sunnybrook("SC-HF-I-4"))


@pytest.mark.data
def test_a_real_stack_keeps_every_pixel_in_its_place(hfi4: Study) -> None:
    volume = assemble(hfi4, find_stack(hfi4.facts), allow_missing=False)
    assert volume.voxels.shape == (20, 10, 256, 256)
    assert volume.geometry.spacing_mm == pytest.approx((8.0, 1.2891, 1.2891), abs=1e-3)
    assert volume.notes == ()
    assert volume.filled == ()
    for phase, slice_ in ((0, 0), (7, 3), (19, 9)):
        source = volume.sources[phase][slice_]
        image = dcmread(hfi4.instance_of(source.sop_instance_uid).path)
        assert np.array_equal(volume.voxels[phase, slice_], image.pixel_array)
        assert volume.trigger_ms[slice_][phase] == image.TriggerTime
        corner = tuple(float(value) for value in image.ImagePositionPatient)
        assert volume.geometry.origins_mm[slice_] == corner
        iop = np.array(image.ImageOrientationPatient, dtype=float)
        far = np.array(corner) + iop[:3] * 1.2891 * 10 + iop[3:] * 1.2891 * 20
        assert volume.geometry.position_mm(slice_, 20, 10) == pytest.approx(tuple(far), abs=1e-4)


@pytest.mark.data
def test_shuffled_and_repeated_files_give_the_same_volume(hfi4: Study) -> None:
    expected = assemble(hfi4, find_stack(hfi4.facts), allow_missing=False)
    paths = [instance.path for instance in hfi4.instances]
    shuffled = random.Random(4).sample(paths, len(paths)) + paths[:30]
    volume = volume_of(shuffled)
    assert volume.digest == expected.digest
    assert volume.sources == expected.sources


@pytest.mark.data
def test_slices_of_different_heart_rates_are_matched_by_their_share_of_the_cycle(sunnybrook: Files) -> None:
    volume = volume_of(sunnybrook("SC-HF-I-1"))
    assert volume.voxels.shape == (20, 12, 256, 256)
    assert volume.geometry.spacing_mm[0] == pytest.approx(10.0, abs=1e-3)
    assert len(set(volume.rr_ms)) == 7
    assert len({time for times in volume.trigger_ms for time in times}) == 140
    assert volume.notes == (
        "The R-R interval differs between slices (731 to 800 ms); "
        "phases are matched by their share of the cycle.",
    )


@pytest.mark.data
def test_slice_distance_comes_from_the_positions_not_the_thickness(bivme: list[Path]) -> None:
    volume = volume_of(bivme)
    assert volume.voxels.shape == (25, 6, 208, 256)
    assert volume.geometry.spacing_mm[0] == pytest.approx(17.7, abs=0.01)
    gaps = np.linalg.norm(np.diff(np.array(volume.geometry.origins_mm), axis=0), axis=1)
    assert gaps == pytest.approx([17.7] * 5, abs=0.01)


@pytest.mark.data
def test_a_real_study_with_holes_is_refused_or_filled(hfi4: Study) -> None:
    stack = find_stack(hfi4.facts)
    whole = assemble(hfi4, stack, allow_missing=False)
    gone = {plane.instance.sop_instance_uid for plane in stack.slices[6].present[11:14]}
    kept = [one.path for one in hfi4.instances if one.facts.sop_instance_uid not in gone]
    with pytest.raises(IncompleteCine, match="missing: slice 7, phases 12-14"):
        volume_of(kept)
    volume = volume_of(kept, allow_missing=True)
    assert volume.filled == ((11, 6), (12, 6), (13, 6))
    assert volume.notes == ("Slice 7, phases 12-14: no image came, interpolated within the slice.",)
    blend = whole.voxels[10, 6] * 0.5 + whole.voxels[14, 6] * 0.5
    assert np.abs(volume.voxels[12, 6] - blend).max() < 1.0
    assert np.array_equal(np.delete(volume.voxels, 6, axis=1), np.delete(whole.voxels, 6, axis=1))
    assert np.allclose(volume.trigger_ms, whole.trigger_ms)


@pytest.mark.data
def test_a_missing_slice_is_refused_or_left_out(hfi4: Study) -> None:
    stack = find_stack(hfi4.facts)
    gone = {plane.instance.sop_instance_uid for plane in stack.slices[3].present}
    kept = [one.path for one in hfi4.instances if one.facts.sop_instance_uid not in gone]
    with pytest.raises(IncompleteCine, match="slice 4 is missing"):
        volume_of(kept)
    volume = volume_of(kept, allow_missing=True)
    assert volume.voxels.shape == (20, 9, 256, 256)
    assert volume.filled == ()
    assert volume.notes == ("Slice 4 is missing and is left out.", "The slices are not evenly spaced.")
    assert volume.geometry.spacing_mm[0] == pytest.approx(8.0, abs=1e-3)


def test_a_slice_with_other_phases_is_resampled_round_the_cycle(tmp_path: Path) -> None:
    thirty = [800.0 / 30 * phase for phase in range(30)]
    volume = volume_of(write_cine(tmp_path, [TIMES, TIMES, thirty, TIMES], [800.0] * 4))
    assert volume.voxels.shape == (20, 4, 4, 6)
    assert volume.filled == ()
    assert volume.notes == (
        "Slice 2: 30 phases, resampled linearly over the cycle to the 20 phases of the stack.",
    )
    shown = (volume.voxels[:, 1, 0, 0] - 2000) / 10
    assert shown[:19] == pytest.approx(TIMES[:19], abs=1.0)
    assert shown[19] == pytest.approx(760.0, abs=1.0)
    assert volume.trigger_ms[1] == pytest.approx(TIMES)
    assert volume.sources[19][1].sop_instance_uid == "1.2.3.1.3.29"


def test_phases_between_the_last_and_the_first_are_seen_round_the_end(tmp_path: Path) -> None:
    late = [(time + 20.0) for time in TIMES]
    volume = volume_of(write_cine(tmp_path, [TIMES, TIMES, late, TIMES], [800.0] * 4))
    shown = (volume.voxels[:, 1, 0, 0] - 2000) / 10
    assert shown[1:] == pytest.approx(TIMES[1:], abs=1.0)
    assert shown[0] == pytest.approx((20.0 + 780.0) / 2, abs=1.0)
    assert "resampled" in volume.notes[0]


def test_holes_of_a_resampled_slice_are_recorded(tmp_path: Path) -> None:
    thirty = [800.0 / 30 * phase for phase in range(30) if phase not in (12, 13, 14)]
    paths = write_cine(tmp_path, [TIMES, TIMES, thirty, TIMES], [800.0] * 4)
    for path in paths:
        if "-02-" in path.name:
            splice(path, "CardiacNumberOfImages", b"30")
    with pytest.raises(IncompleteCine, match="slice 2, phases 13-15"):
        volume_of(paths)
    volume = volume_of(paths, allow_missing=True)
    assert volume.filled == ((8, 1), (9, 1))
    assert len(volume.notes) == 2


def test_a_cycle_that_no_tag_states_is_estimated_and_said(tmp_path: Path) -> None:
    volume = volume_of(write_cine(tmp_path, [TIMES] * 3, [None] * 3))
    assert volume.rr_ms == pytest.approx((800.0,) * 3)
    assert volume.notes == (
        "The images do not state a usable R-R interval; it is estimated from the trigger times.",
    )


def test_reversed_axes_are_turned_back(tmp_path: Path) -> None:
    paths = write_cine(tmp_path, [TIMES] * 4, [800.0] * 4)
    expected = volume_of(paths)
    for path in paths[20:40]:
        image = dcmread(path)
        iop = np.array(image.ImageOrientationPatient, dtype=float)
        corner = (
            np.array(image.ImagePositionPatient, dtype=float) + iop[:3] / np.linalg.norm(iop[:3]) * 1.5 * 5
        )
        image.ImageOrientationPatient = [*(-iop[:3]), *iop[3:]]
        image.ImagePositionPatient = [f"{mm:.6f}" for mm in corner]
        image.PixelData = image.pixel_array[:, ::-1].tobytes()
        image.save_as(path)
    volume = volume_of(paths)
    assert np.array_equal(volume.voxels, expected.voxels)
    assert np.allclose(volume.geometry.origins_mm, expected.geometry.origins_mm, atol=1e-4)
    assert volume.geometry.directions == expected.geometry.directions


def test_one_volume_after_the_other_lies_in_the_memory_that_is_given(tmp_path: Path) -> None:
    study = read_study(write_cine(tmp_path, [TIMES] * 3, [800.0] * 3))
    stack, memory = find_stack(study.facts), VoxelMemory()
    first = assemble(study, stack, allow_missing=False, memory=memory)
    beside = assemble(study, stack, allow_missing=False, memory=memory)
    assert not np.shares_memory(first.voxels, beside.voxels)
    kept, expected = beside.voxels.__array_interface__["data"], first.digest
    del first, beside
    again = assemble(study, stack, allow_missing=False, memory=memory)
    assert again.voxels.__array_interface__["data"][0] == kept[0]
    assert again.digest == expected


def test_slices_with_hardly_an_image_are_left_out(tmp_path: Path) -> None:
    paths = write_cine(tmp_path, [TIMES] * 4, [800.0] * 4)
    volume = volume_of(paths[:21] + paths[40:], allow_missing=True)
    assert volume.voxels.shape[1] == 3
    assert volume.notes[0] == "Slice 3 has too few images and is left out."


def test_a_slice_that_a_tag_misses_at_the_end_is_said(tmp_path: Path) -> None:
    paths = [
        splice(path, "ImagesInAcquisition", b"80") for path in write_cine(tmp_path, [TIMES] * 4, [800.0] * 4)
    ]
    study = read_study(paths)
    stack = replace(find_stack(study.facts), declared_slices=5)
    with pytest.raises(IncompleteCine, match="1 slice at an end"):
        assemble(study, stack, allow_missing=False)
    volume = assemble(study, stack, allow_missing=True)
    assert volume.notes == ("1 slice at an end of the stack: 5 are stated, 4 are known.",)


def test_lossy_sources_are_noted(tmp_path: Path) -> None:
    paths = [
        splice(path, "LossyImageCompression", b"01")
        for path in write_cine(tmp_path, [TIMES] * 3, [800.0] * 3)
    ]
    assert volume_of(paths).notes == ("The images went through a lossy compression before they came.",)


def test_an_undecodable_plane_is_named(tmp_path: Path) -> None:
    paths = write_cine(tmp_path, [TIMES] * 4, [800.0] * 4)
    splice(paths[20 + 6], "RescaleSlope", b"NaN")
    with pytest.raises(UnreadableInstance, match="slice 3, phase 7: the rescale"):
        volume_of(paths)


def test_moments_that_are_phases_are_not_touched() -> None:
    planes = np.random.default_rng(1).random((5, 3, 2), dtype=np.float32)
    shares = [0.05, 0.25, 0.45, 0.65, 0.85]
    assert np.array_equal(resample(planes, blends(shares, shares)), planes)
    assert [blend.nearest for blend in blends(shares, [0.96, 0.0, 1.04, 0.36])] == [0, 0, 0, 2]


@pytest.mark.parametrize("count", [2, 3, 25])
def test_a_beat_resampled_to_more_phases_and_back_is_the_same(count: int) -> None:
    planes = np.random.default_rng(2).random((count, 2, 2), dtype=np.float32)
    own, fine = [phase / count for phase in range(count)], [phase / (4 * count) for phase in range(4 * count)]
    there = resample(planes, blends(own, fine))
    assert np.allclose(resample(there, blends(fine, own)), planes)
    assert there.min() >= planes.min()
    assert there.max() <= planes.max()
