"""The overlays that play: every phase in its time, where its slice lies, named by its source."""

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import MultiFrameTrueColorSecondaryCaptureImageStorage

from pipeline import assemble, find_stack, read_study
from reports import ReportContext, ReportOptions, build_reports
from reports.charset import text_of
from reports.draft import Draft
from reports.multiframe_sc import build
from tests.peers.gdcm import gdcminfo
from tests.peers.presence import program
from tests.reports.scans import (
    COLUMNS,
    DOWN,
    FRAME_UID,
    GEOMETRY,
    PHASES,
    RIGHT,
    ROWS,
    SLICES,
    attention_at,
    context_of,
    one_multiframe,
    prediction,
    small_context,
)
from tests.reports.tree import named

PLAYING = ReportOptions(attention_images="all_phases")
FACTOR = 11
"""A pixel of the small study's 64 x 48 became so many each way."""


def read_back(dataset: Dataset) -> Dataset:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return dcmread(io.BytesIO(buffer.getvalue()))


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ReportContext:
    return small_context(tmp_path_factory.mktemp("cine"), options=PLAYING)


@pytest.fixture(scope="module")
def films(context: ReportContext) -> list[Dataset]:
    """The small study's overlays as they lie in their files, base to apex."""
    return [read_back(made.dataset) for made in build_reports(context) if made.kind == "attention"]


def inside(pixels: np.ndarray) -> np.ndarray:
    """Frames without their margins, where the legend is."""
    return pixels[..., 22 * FACTOR : 42 * FACTOR, 12 * FACTOR : 38 * FACTOR, :].astype(int)


def test_there_is_one_image_per_slice_with_a_frame_per_phase(films: list[Dataset]) -> None:
    assert [film.InstanceNumber for film in films] == list(range(1, SLICES + 1))
    for film in films:
        assert film.SOPClassUID == MultiFrameTrueColorSecondaryCaptureImageStorage
        assert (film.NumberOfFrames, film.Rows, film.Columns) == (PHASES, ROWS * FACTOR, COLUMNS * FACTOR)
        assert film.pixel_array.shape == (PHASES, ROWS * FACTOR, COLUMNS * FACTOR, 3)
    assert len({film.SOPInstanceUID for film in films}) == SLICES
    assert {(film.SeriesInstanceUID, film.SeriesNumber) for film in films} == {
        (films[0].SeriesInstanceUID, 908)
    }


def test_the_page_stays_in_a_series_of_its_own(context: ReportContext, films: list[Dataset]) -> None:
    (page,) = [made.dataset for made in build_reports(context) if made.kind == "summary"]
    assert page.SeriesInstanceUID != films[0].SeriesInstanceUID


def test_a_film_plays_one_beat_in_its_own_time(context: ReportContext, films: list[Dataset]) -> None:
    for slice_, film in enumerate(films):
        assert film.FrameIncrementPointer == Tag("FrameTime")
        assert float(film.FrameTime) * PHASES == pytest.approx(context.volume.rr_ms[slice_])
        assert film.PreferredPlaybackSequencing == 0
        assert film.RecommendedDisplayFrameRate == 25


def test_frames_come_in_time_order_and_the_peak_stands_for_all(films: list[Dataset]) -> None:
    coloured = [(np.ptp(picture, axis=-1) > 0).sum() for picture in inside(films[1].pixel_array)]
    assert int(np.argmax(coloured)) == 3
    assert coloured[0] < coloured[2] < coloured[3] > coloured[4]
    assert films[1].RepresentativeFrameNumber == 4


def test_the_frame_of_the_peak_is_coloured_like_the_single_picture(tmp_path: Path) -> None:
    still = small_context(tmp_path)
    still = replace(
        still, volume=replace(still.volume, voxels=still.volume.voxels[:1].repeat(PHASES, axis=0))
    )
    played = Draft.of(replace(still, options=PLAYING))
    (single,) = [made.dataset for made in build_reports(still) if made.dataset.InstanceNumber == 3]
    assert (read_back(build(played)[1]).pixel_array[3] == single.pixel_array).all()


def test_greys_do_not_flicker_when_one_phase_is_brighter(tmp_path: Path) -> None:
    context = small_context(tmp_path, options=PLAYING)
    voxels = context.volume.voxels[:1].repeat(PHASES, axis=0)
    voxels[2, :, :20] += 5000.0
    film = build(Draft.of(replace(context, volume=replace(context.volume, voxels=voxels))))[0]
    frames = inside(read_back(film).pixel_array)
    assert (frames[0] == frames[2])[np.ptp(frames[2], axis=-1) == 0].all()


def test_frame_n_was_made_of_the_nth_source(context: ReportContext, films: list[Dataset]) -> None:
    for slice_, film in enumerate(films):
        sources = [item.ReferencedSOPInstanceUID for item in film.SourceImageSequence]
        assert sources == [row[slice_].sop_instance_uid for row in context.volume.sources]
        assert "frame n shows item n" in film.DerivationDescription


def test_frames_of_a_multi_frame_source_are_named(tmp_path: Path) -> None:
    context = small_context(tmp_path, write=one_multiframe, options=PLAYING)
    film = build(Draft.of(context))[2]
    numbers = [item.ReferencedFrameNumber for item in film.SourceImageSequence]
    assert numbers == [1 + 2 * PHASES + phase for phase in range(PHASES)]


def test_every_frame_lies_where_its_slice_lies(films: list[Dataset]) -> None:
    shift = 0.5 / FACTOR - 0.5
    for slice_, film in enumerate(films):
        (shared,) = film.SharedFunctionalGroupsSequence
        assert film.FrameOfReferenceUID == FRAME_UID
        assert [float(x) for x in shared.PixelMeasuresSequence[0].PixelSpacing] == pytest.approx(
            [1.5 / FACTOR, 1.25 / FACTOR]
        )
        assert shared.PixelMeasuresSequence[0].SliceThickness == 8
        assert [float(x) for x in shared.PlaneOrientationSequence[0].ImageOrientationPatient] == [
            *RIGHT,
            *DOWN,
        ]
        places = [
            frame.PlanePositionSequence[0].ImagePositionPatient
            for frame in film.PerFrameFunctionalGroupsSequence
        ]
        assert len(places) == PHASES
        for place in places:
            assert [float(x) for x in place] == pytest.approx(GEOMETRY.position_mm(slice_, shift, shift))


def test_a_film_says_what_it_is(films: list[Dataset]) -> None:
    for film in films:
        assert (film.Modality, film.BurnedInAnnotation, film.LossyImageCompression) == ("OT", "NO", "00")
        assert "RESEARCH USE ONLY" in film.ImageComments
        assert "RESEARCH USE ONLY" in film.SeriesDescription
        assert text_of(film, "PatientID") == "N-1820"


def test_what_is_made_of_lossy_images_is_lossy(tmp_path: Path) -> None:
    def compressed_once(image: Dataset) -> None:
        if image.InstanceNumber == 2:
            image.LossyImageCompression = "01"

    for images in ("key_phase", "all_phases"):
        options = ReportOptions(attention_images=images, extra_objects=("parametric_map", "segmentation"))
        made = build_reports(small_context(tmp_path / images, change=compressed_once, options=options))
        derived = [one for one in made if one.kind not in ("sr", "text", "summary")]
        assert [one.dataset.LossyImageCompression for one in derived] == ["01"] * (SLICES + 2)


def test_without_a_map_there_is_no_film(tmp_path: Path) -> None:
    answer = {"attention": None, "attention_method": ""}
    kinds = [made.kind for made in build_reports(small_context(tmp_path, answer=answer, options=PLAYING))]
    assert kinds == ["sr", "text", "summary"]


def test_the_report_points_at_the_frame_of_the_peak(context: ReportContext, films: list[Dataset]) -> None:
    document = build_reports(context)[0].dataset
    (explanation,) = named(document, "130401")
    (reference,) = explanation.ReferencedSOPSequence
    assert reference.ReferencedSOPInstanceUID == films[1].SOPInstanceUID
    assert reference.ReferencedFrameNumber == 4


@pytest.mark.peers("dcmj2pnm")
def test_dcmtk_draws_every_frame_as_we_did(films: list[Dataset], tmp_path: Path) -> None:
    path, drawn = tmp_path / "film.dcm", tmp_path / "frame.ppm"
    films[1].save_as(path, enforce_file_format=True)
    for number, pixels in enumerate(films[1].pixel_array, start=1):
        subprocess.run([program("dcmj2pnm"), "+op", "+F", str(number), str(path), str(drawn)], check=True)
        assert drawn.read_bytes()[-pixels.nbytes :] == pixels.tobytes()


@pytest.mark.data
@pytest.mark.peers("gdcminfo")
def test_gdcm_finds_a_real_film_where_its_source_images_lie(data_dir: Path, tmp_path: Path) -> None:
    study = read_study(sorted((data_dir / "bivme").rglob("*.dcm")))
    volume = assemble(study, find_stack(study.facts), allow_missing=False)
    phases, slices, rows, columns = volume.voxels.shape
    answer = prediction(volume, attention=attention_at(volume, 3, 2, rows // 2, columns // 2))
    films = build(Draft.of(context_of(volume, study, answer, options=PLAYING)))
    assert (len(films), films[0].NumberOfFrames) == (slices, phases) == (6, 25)
    apex = slices - 1
    path = tmp_path / "apex.dcm"
    films[apex].save_as(path, enforce_file_format=True)
    source = study.header_of(volume.sources[0][apex].sop_instance_uid)
    factor = films[apex].Rows // source.Rows
    place = gdcminfo(path)
    between_rows, between_columns = (float(x) for x in source.PixelSpacing)
    cosines = np.array([float(x) for x in source.ImageOrientationPatient])
    shift = (0.5 / factor - 0.5) * (cosines[:3] * between_columns + cosines[3:] * between_rows)
    corner = np.array([float(x) for x in source.ImagePositionPatient]) + shift
    assert place.origin == pytest.approx(corner.tolist(), abs=0.01)
    assert place.spacing == pytest.approx([between_columns / factor, between_rows / factor], abs=1e-4)
    assert place.cosines == pytest.approx(cosines.tolist(), abs=1e-3)
