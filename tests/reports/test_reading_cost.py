"""A report that a viewer opens at once, however large the cine."""

from pathlib import Path

import pytest

from pipeline.phantom import Layout, Phantom, Scan, draw_heart, render, write_dicom
from reports.image_library import MOST_IMAGES
from tests.peers.ohif_handler import load_in_ohif
from tests.reports.made import PEAK, Made, make
from tests.reports.tree import evidence, named, referenced

GRID = Scan(slices=14, phases=30, matrix=(32, 32), spacing_mm=6.0, slice_distance_mm=7.0, subplanes=1)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return render(draw_heart(3, scar=True), GRID)


@pytest.fixture(scope="module")
def large(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """14 slices x 30 phases, a file each."""
    folder = tmp_path_factory.mktemp("large")
    return make(write_dicom(phantom, folder, Layout.GE), tmp_path_factory.mktemp("out"))


def test_a_report_on_14_x_30_images_is_under_100_kb(large: Made) -> None:
    assert large.grid == (30, 14)
    assert large.report_file.stat().st_size < 100_000


def test_it_has_every_image_as_evidence_and_lists_those_of_the_phase_it_shows(large: Made) -> None:
    assert len(set(large.stack)) == 420 > MOST_IMAGES
    assert set(large.stack) <= evidence(large.report)
    (library,) = named(large.report, "126200")
    assert referenced(library) == {large.stack[PEAK[0] * 14 + slice_] for slice_ in range(14)}


@pytest.mark.peers("node")
def test_it_loads_in_ohif(large: Made) -> None:
    loaded = load_in_ohif(large.report)
    assert (loaded.failure, loaded.is_loaded, loaded.referenced_images) == ("", True, 14)


def test_a_report_on_one_multi_frame_image_of_14_x_30_frames_is_smaller_still(
    phantom: Phantom, tmp_path: Path
) -> None:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    one = make(write_dicom(phantom, tmp_path / "in", Layout.ENHANCED), tmp_path / "out")
    assert one.report_file.stat().st_size < 50_000
    (library,) = named(one.report, "126200")
    frames = library.ContentSequence[-1].ReferencedSOPSequence[0].ReferencedFrameNumber
    assert list(frames) == list(range(1, 421))
