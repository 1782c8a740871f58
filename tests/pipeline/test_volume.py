"""A volume is frozen, checked and has one digest for one content."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline import CineVolume, Geometry, PlaneSource


def volume(phases: int = 2, slices: int = 3) -> CineVolume:
    source = PlaneSource("1.2", "1.2.3", "1.2.4")
    return CineVolume(
        voxels=np.arange(phases * slices * 20, dtype=np.float32).reshape(phases, slices, 4, 5),
        geometry=Geometry(
            origins_mm=tuple((1.0, 2.0, 8.0 * index) for index in range(slices)),
            spacing_mm=(8.0, 1.5, 1.25),
            directions=((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
        ),
        trigger_ms=tuple(tuple(400.0 * phase for phase in range(phases)) for _ in range(slices)),
        rr_ms=(800.0,) * slices,
        sources=((source,) * slices,) * phases,
        study_instance_uid="1.2.5",
        frame_of_reference_uid="1.2.6",
    )


def test_voxels_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        volume().voxels[0, 0, 0, 0] = 1


def test_a_pixel_lies_where_rows_columns_and_origin_put_it() -> None:
    assert volume().geometry.position_mm(2, 3, 4) == pytest.approx((1.0 + 4 * 1.25, 2.0 + 3 * 1.5, 16.0))


def test_equal_content_has_an_equal_digest() -> None:
    assert volume().digest == volume().digest
    assert replace(volume(), study_instance_uid="9", notes=("x",)).digest == volume().digest


def test_any_other_voxel_place_or_time_has_another_digest() -> None:
    base = volume()
    voxels = base.voxels.copy()
    voxels[1, 2, 3, 4] += 1
    geometry = replace(base.geometry, spacing_mm=(8.001, 1.5, 1.25))
    others = [
        replace(base, voxels=voxels),
        replace(base, geometry=geometry),
        replace(base, rr_ms=(800.0, 800.0, 801.0)),
        replace(base, trigger_ms=((0.0, 400.0), (0.0, 400.0), (0.0, 401.0))),
    ]
    assert len({base.digest, *(other.digest for other in others)}) == 5


@pytest.mark.parametrize(
    "change",
    [
        {"voxels": np.zeros((2, 3, 4, 5))},
        {"voxels": np.zeros((2, 3, 4), dtype=np.float32)},
        {"sources": ()},
        {"trigger_ms": ((0.0,),) * 3},
        {"rr_ms": (800.0,)},
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"axes|source|trigger|origin"):
        replace(volume(), **change)  # type: ignore[arg-type]
