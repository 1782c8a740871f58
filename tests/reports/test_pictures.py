"""The secondary captures: pixels and where they lie."""

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset

from reports import ReportError, build_reports
from reports.overlay import blend, colours, opacity_of, upscaling
from tests.peers.presence import program
from tests.reports.scans import (
    COLUMNS,
    DOWN,
    FRAME_UID,
    GEOMETRY,
    RIGHT,
    ROWS,
    SLICES,
    model,
    one_multiframe,
    small_context,
)


def pixels(dataset: Dataset) -> NDArray[np.uint8]:
    return np.frombuffer(dataset.PixelData, np.uint8).reshape(dataset.Rows, dataset.Columns, 3)


def pictures(folder: Path, **changes: object) -> list[Dataset]:
    made = build_reports(small_context(folder, **changes))  # type: ignore[arg-type]
    return [one.dataset for one in made if one.kind in ("summary", "attention")]


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    return pictures(tmp_path_factory.mktemp("captures"))


def test_one_series_holds_the_page_and_an_overlay_for_every_slice(captures: list[Dataset]) -> None:
    assert [picture.InstanceNumber for picture in captures] == list(range(1, SLICES + 2))
    assert {(str(picture.SeriesInstanceUID), picture.SeriesNumber) for picture in captures} == {
        (str(captures[0].SeriesInstanceUID), 902)
    }


def test_an_overlay_lies_where_its_slice_lies(captures: list[Dataset]) -> None:
    for slice_, overlay in enumerate(captures[1:]):
        factor = overlay.Rows // ROWS
        assert overlay.FrameOfReferenceUID == FRAME_UID
        assert [float(x) for x in overlay.PixelSpacing] == pytest.approx(
            [1.5 / factor, 1.25 / factor], abs=1e-6
        )
        assert [float(x) for x in overlay.ImageOrientationPatient] == pytest.approx([*RIGHT, *DOWN])
        assert _centre(overlay) == pytest.approx(
            GEOMETRY.position_mm(slice_, (ROWS - 1) / 2, (COLUMNS - 1) / 2), abs=1e-4
        )


def _centre(overlay: Dataset) -> list[float]:
    """The middle of the picture in the patient, from its own geometry."""
    corner = np.array([float(x) for x in overlay.ImagePositionPatient])
    right, down = np.array([float(x) for x in overlay.ImageOrientationPatient]).reshape(2, 3)
    between_rows, between_columns = (float(x) for x in overlay.PixelSpacing)
    middle = (
        corner
        + down * between_rows * (overlay.Rows - 1) / 2
        + right * between_columns * (overlay.Columns - 1) / 2
    )
    return [float(x) for x in middle]


def test_an_overlay_names_the_image_it_lies_on(tmp_path: Path) -> None:
    context = small_context(tmp_path)
    overlays = [made.dataset for made in build_reports(context) if made.kind == "attention"]
    named = [overlay.SourceImageSequence[0].ReferencedSOPInstanceUID for overlay in overlays]
    assert named == [context.volume.sources[3][slice_].sop_instance_uid for slice_ in range(SLICES)]


def test_an_overlay_on_a_multi_frame_image_names_the_frame_and_its_thickness(tmp_path: Path) -> None:
    overlay = pictures(tmp_path, write=one_multiframe)[2]
    assert overlay.SourceImageSequence[0].ReferencedFrameNumber == 1 + 1 * 5 + 3
    assert overlay.SliceThickness == 8


def test_a_source_without_frame_of_reference_gives_overlays_without(tmp_path: Path) -> None:
    context = small_context(tmp_path)
    bare = replace(context, volume=replace(context.volume, frame_of_reference_uid=""))
    assert all("FrameOfReferenceUID" not in made.dataset for made in build_reports(bare))


def test_every_picture_says_what_it_is(captures: list[Dataset]) -> None:
    for picture in captures:
        assert picture.Modality == "OT"
        assert picture.ConversionType == "WSD"
        assert picture.BurnedInAnnotation == "NO"
        assert picture.RecognizableVisualFeatures == "NO"
        assert picture.LossyImageCompression == "00"
        assert picture.BodyPartExamined == "HEART"
        assert "RESEARCH USE ONLY" in picture.ImageComments
        assert "RESEARCH USE ONLY" in picture.SeriesDescription


def test_demonstration_weights_are_named_on_everything(tmp_path: Path) -> None:
    phrase = "DEMONSTRATION WEIGHTS, RESEARCH USE ONLY"
    for made in build_reports(small_context(tmp_path, answer={"model": model(demonstration=True)})):
        assert phrase in made.dataset.SeriesDescription
        if made.kind in ("summary", "attention"):
            assert phrase in made.dataset.ImageComments


def test_demonstration_weights_are_burned_into_every_picture(tmp_path: Path, captures: list[Dataset]) -> None:
    marked = pictures(tmp_path, answer={"model": model(demonstration=True)})
    for plain, demonstration in zip(captures, marked, strict=True):
        assert (pixels(plain) != pixels(demonstration)).any()


def test_pictures_are_large_enough_to_read(captures: list[Dataset]) -> None:
    page_, *overlays = captures
    assert min(page_.Rows, page_.Columns) >= 1024
    assert all(min(overlay.Rows, overlay.Columns) >= 512 for overlay in overlays)
    assert all(overlay.Rows % ROWS == 0 and overlay.Columns % COLUMNS == 0 for overlay in overlays)


def test_no_patient_is_named_in_the_pixels(tmp_path: Path) -> None:
    def somebody_else(image: Dataset) -> None:
        image.PatientName, image.PatientID, image.PatientBirthDate = "Seacole^Mary", "S-1805", "18051123"
        image.AccessionNumber, image.StudyDate = "B2", "20250101"

    one, other = pictures(tmp_path / "one"), pictures(tmp_path / "other", change=somebody_else)
    assert one[0].PatientID != other[0].PatientID
    assert [picture.PixelData for picture in one] == [picture.PixelData for picture in other]


def test_attention_colours_the_picture_where_it_is_and_nowhere_else(tmp_path: Path) -> None:
    context = small_context(tmp_path)
    attention = context.prediction.attention
    assert attention is not None
    picture = blend(context.volume.voxels[3, 1], attention[3, 1], 4).astype(int)
    coloured = np.ptp(picture, axis=-1) > 0
    assert coloured[30 * 4, 20 * 4]
    assert not coloured[:40, :40].any()


def test_the_image_stays_visible_under_the_strongest_attention() -> None:
    ramp = np.linspace(0.0, 1.0, 64, dtype=np.float32)[None, :].repeat(64, axis=0)
    covered = blend(ramp, np.ones_like(ramp), 1)
    assert float(opacity_of(np.ones(1))[0]) <= 0.65
    assert int(covered[32, 60, 2]) - int(covered[32, 4, 2]) > 60


def test_weak_attention_leaves_the_image_alone() -> None:
    plane = np.random.default_rng(1).random((32, 32), dtype=np.float32)
    assert (blend(plane, np.full_like(plane, 0.1), 2) == blend(plane, None, 2)).all()


def test_the_colours_grow_lighter_with_attention() -> None:
    luminance = colours(np.linspace(0.0, 1.0, 50)) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance) > 0).all()


@pytest.mark.parametrize(
    ("rows", "columns", "factor"), [(256, 256, 2), (208, 256, 3), (512, 512, 1), (600, 700, 1), (64, 48, 11)]
)
def test_the_factor_is_the_least_whole_one(rows: int, columns: int, factor: int) -> None:
    assert upscaling(rows, columns) == factor


def test_enlarging_keeps_pixel_blocks_in_place() -> None:
    plane = np.zeros((16, 16), np.float32)
    plane[4:8, 10:14] = 1.0
    picture = blend(plane, None, 4)[..., 0].astype(float)
    rows, columns = np.mgrid[:64, :64]
    middle = (picture * rows).sum() / picture.sum(), (picture * columns).sum() / picture.sum()
    assert middle == pytest.approx((4 * 6 - 0.5, 4 * 12 - 0.5), abs=0.05)


@pytest.mark.parametrize("bad", [np.nan, 1.5, -0.1])
def test_a_map_with_impossible_values_is_refused(tmp_path: Path, bad: float) -> None:
    context = small_context(tmp_path)
    broken = context.prediction.attention.copy()  # type: ignore[union-attr]
    broken[0, 0, 0, 0] = bad
    with pytest.raises(ReportError, match=r"outside 0\.\.1"):
        build_reports(small_context(tmp_path / "bad", answer={"attention": broken}))


def test_a_map_on_another_grid_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="equal"):
        build_reports(small_context(tmp_path, answer={"attention": np.zeros((1, 1, 2, 2), np.float32)}))


@pytest.mark.peers("dcmj2pnm")
def test_dcmtk_draws_every_picture_as_we_did(captures: list[Dataset], tmp_path: Path) -> None:
    for number, picture in enumerate(captures):
        path, drawn = tmp_path / f"{number}.dcm", tmp_path / f"{number}.ppm"
        picture.save_as(path, enforce_file_format=True)
        subprocess.run([program("dcmj2pnm"), "+op", str(path), str(drawn)], check=True)
        body = drawn.read_bytes()[-picture.Rows * picture.Columns * 3 :]
        assert body == picture.PixelData


def test_a_picture_survives_being_saved_and_read(captures: list[Dataset]) -> None:
    buffer = io.BytesIO()
    captures[1].save_as(buffer, enforce_file_format=True)
    assert (dcmread(io.BytesIO(buffer.getvalue())).pixel_array == pixels(captures[1])).all()
