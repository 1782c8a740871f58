"""The presentation states: marks on the right pixel of the right image, which stays as its scanner shows it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset

from pipeline import assemble, find_stack, read_study
from pipeline.phantom import Layout
from reports import ReportContext, presentation_state
from reports.charset import text_of
from reports.draft import Draft
from tests.peers.presence import program
from tests.reports.extras import asking_for, of_kind, saved
from tests.reports.scans import (
    COLUMNS,
    PHASES,
    ROWS,
    attention_at,
    context_of,
    model,
    one_multiframe,
    prediction,
    small_context,
)
from tests.reports.studies import Change, Source

WANTED = asking_for("presentation_state")


def states(context: ReportContext) -> list[Dataset]:
    return presentation_state.build(Draft.of(context))


def graphics(state: Dataset) -> dict[str, list[float]]:
    """Graphic Data by Graphic Type; all of it counts in pixels of the image."""
    (annotation,) = state.GraphicAnnotationSequence
    assert {item.GraphicAnnotationUnits for item in annotation.GraphicObjectSequence} == {"PIXEL"}
    return {item.GraphicType: list(item.GraphicData) for item in annotation.GraphicObjectSequence}


def words(state: Dataset) -> Dataset:
    (item,) = state.GraphicAnnotationSequence[0].TextObjectSequence
    return item


def scanned(folder: Path, change: Change, layout: Layout = Layout.GE) -> ReportContext:
    """A phantom with pixels, every file changed, its attention in the middle of slice 2 in phase 3."""
    study = read_study(Source(layout, change).write(folder))
    volume = assemble(study, find_stack(study.facts), allow_missing=False)
    attention = attention_at(volume, 3, 2, volume.voxels.shape[2] // 2, volume.voxels.shape[3] // 2)
    return context_of(volume, study, prediction(volume, attention=attention), options=WANTED)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[ReportContext, list[Dataset]]:
    context = small_context(tmp_path_factory.mktemp("marks"), options=WANTED)
    return context, states(context)


Made = tuple[ReportContext, list[Dataset]]


def test_each_image_is_marked_at_the_peak_of_its_own_slice(made: Made) -> None:
    context, marked = made
    attention = context.prediction.attention
    assert attention is not None
    for state, slice_ in zip(marked, (1, 0, 2), strict=True):
        row, column = np.unravel_index(attention[3, slice_].argmax(), attention.shape[2:])
        assert graphics(state)["POINT"] == [column + 0.5, row + 0.5]
        assert graphics(state)["CIRCLE"][:2] == [column + 0.5, row + 0.5]
        (series,) = state.ReferencedSeriesSequence
        (image,) = series.ReferencedImageSequence
        source = context.volume.sources[3][slice_]
        assert (series.SeriesInstanceUID, image.ReferencedSOPInstanceUID) == (
            source.series_instance_uid,
            source.sop_instance_uid,
        )


def test_they_are_written_only_where_the_site_asks(made: Made, tmp_path: Path) -> None:
    context, marked = made
    assert of_kind(context, "presentation") == marked
    assert of_kind(small_context(tmp_path), "presentation") == []


def test_the_circle_is_as_wide_as_the_wall_is_thick(made: Made) -> None:
    x, _, rim, _ = graphics(made[1][0])["CIRCLE"]
    assert (rim - x) * 1.25 == pytest.approx(8.0, abs=1e-4)  # columns are 1.25 mm apart


def test_the_whole_image_is_displayed_counted_from_one(made: Made) -> None:
    (area,) = made[1][0].DisplayedAreaSelectionSequence
    assert list(area.DisplayedAreaTopLeftHandCorner) == [1, 1]
    assert list(area.DisplayedAreaBottomRightHandCorner) == [COLUMNS, ROWS]
    assert list(area.PresentationPixelSpacing) == [1.5, 1.25]


@pytest.mark.parametrize(
    ("row", "column"), [(0, 0), (0, COLUMNS - 1), (ROWS - 1, 0), (ROWS - 1, COLUMNS - 1)]
)
def test_a_peak_in_a_corner_keeps_circle_and_words_within_the_image(
    tmp_path: Path, made: Made, row: int, column: int
) -> None:
    cornered = attention_at(made[0].volume, 3, 1, row, column)
    state = states(small_context(tmp_path, answer={"attention": cornered}, options=WANTED))[0]
    assert graphics(state)["POINT"] == [column + 0.5, row + 0.5]
    left, top = words(state).BoundingBoxTopLeftHandCorner
    right, bottom = words(state).BoundingBoxBottomRightHandCorner
    assert 0 <= left < right <= COLUMNS
    assert 0 <= top < bottom <= ROWS
    assert not left <= column + 0.5 <= right  # the words leave the place free
    assert 0 <= graphics(state)["CIRCLE"][2] <= COLUMNS


def test_the_words_say_what_the_mark_is_and_that_it_is_research(made: Made) -> None:
    assert [words(state).UnformattedTextValue for state in made[1]] == [
        f"The network looked here ({number} of 3)\r\nRESEARCH USE ONLY" for number in (1, 2, 3)
    ]


def test_demonstration_weights_are_named_in_the_image(tmp_path: Path) -> None:
    context = small_context(tmp_path, answer={"model": model(demonstration=True)}, options=WANTED)
    for state in states(context):
        assert "DEMONSTRATION WEIGHTS, RESEARCH USE ONLY" in words(state).UnformattedTextValue
        assert "DEMONSTRATION WEIGHTS" in state.SeriesDescription


def test_the_marks_lie_in_a_layer_of_their_own(made: Made) -> None:
    for state in made[1]:
        (layer,) = state.GraphicLayerSequence
        assert layer.GraphicLayer == state.GraphicAnnotationSequence[0].GraphicLayer == "ATTENTION"


def test_a_frame_of_a_multi_frame_image_is_named_wherever_the_image_is(tmp_path: Path) -> None:
    marked = states(small_context(tmp_path, write=one_multiframe, options=WANTED))
    for state, slice_ in zip(marked, (1, 0, 2), strict=True):
        for holder in (state.ReferencedSeriesSequence[0], state.GraphicAnnotationSequence[0]):
            (image,) = holder.ReferencedImageSequence
            assert image.ReferencedFrameNumber == slice_ * PHASES + 4


def test_a_slice_with_too_little_attention_to_draw_is_not_marked(tmp_path: Path, made: Made) -> None:
    alone = attention_at(made[0].volume, 3, 1, 30, 20)
    alone[:, [0, 2, 3]] *= 0.1
    (state,) = states(small_context(tmp_path, answer={"attention": alone}, options=WANTED))
    assert "(1 of 1)" in words(state).UnformattedTextValue


def test_without_a_map_nothing_is_marked(tmp_path: Path) -> None:
    silent = small_context(tmp_path, answer={"attention": None, "attention_method": ""}, options=WANTED)
    assert states(silent) == []


def test_the_clock_is_the_jobs(made: Made) -> None:
    for state in made[1]:
        assert (state.PresentationCreationDate, state.PresentationCreationTime) == ("20260304", "050607")
        assert "ContentDate" not in state


def _window(centre: object, width: object) -> Change:
    def change(image: Dataset) -> None:
        image.WindowCenter, image.WindowWidth = centre, width

    return change


def _no_window(image: Dataset) -> None:
    image.pop("WindowCenter", None)
    image.pop("WindowWidth", None)


def _own_window(context: ReportContext) -> tuple[float, float]:
    """1st to 99th percentile of the marked plane, as centre and width."""
    low, high = np.percentile(context.volume.voxels[3, 2], (1, 99))
    return (low + high) / 2, high - low


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_window("321", "654"), lambda _: (321.0, 654.0)),
        (_window(["321", "99"], ["654", "98"]), lambda _: (321.0, 654.0)),
        (_window("321", "0"), _own_window),
        (_no_window, _own_window),
    ],
    ids=["stated", "the first of several", "too narrow to be one", "none"],
)
def test_the_grey_window_is_the_sources_own_if_it_states_a_valid_one(
    tmp_path: Path, change: Change, expected: Callable[[ReportContext], tuple[float, float]]
) -> None:
    context = scanned(tmp_path, change)
    (window,) = states(context)[0].SoftcopyVOILUTSequence
    assert (window.WindowCenter, window.WindowWidth) == pytest.approx(expected(context), rel=1e-6)


def test_a_window_stated_for_one_frame_counts_for_that_frame(tmp_path: Path) -> None:
    def one_window_per_frame(image: Dataset) -> None:
        for number, group in enumerate(image.PerFrameFunctionalGroupsSequence, 1):
            stated = Dataset()
            stated.WindowCenter, stated.WindowWidth = str(number), "500"
            group.FrameVOILUTSequence = [stated]

    for state in states(scanned(tmp_path, one_window_per_frame, Layout.ENHANCED)):
        frame = state.ReferencedSeriesSequence[0].ReferencedImageSequence[0].ReferencedFrameNumber
        assert state.SoftcopyVOILUTSequence[0].WindowCenter == frame


def rescaled(image: Dataset) -> None:
    """Stored values are half the modality's, less ten; the window speaks of the modality's."""
    image.RescaleSlope, image.RescaleIntercept, image.RescaleType = "2", "10", "US"
    image.WindowCenter, image.WindowWidth = "500", "1000"


@pytest.fixture(scope="module")
def halved(tmp_path_factory: pytest.TempPathFactory) -> ReportContext:
    return scanned(tmp_path_factory.mktemp("halved"), rescaled)


def test_the_sources_rescale_is_repeated_since_a_state_replaces_it(halved: ReportContext) -> None:
    for state in states(halved):
        assert (state.RescaleSlope, state.RescaleIntercept) == (2, 10)


@pytest.mark.peers("dcmp2pgm")
def test_dcmtk_shows_the_image_in_the_window_of_its_state(halved: ReportContext, tmp_path: Path) -> None:
    state = states(halved)[0]
    uid = text_of(state.ReferencedSeriesSequence[0].ReferencedImageSequence[0], "ReferencedSOPInstanceUID")
    image = halved.study.instance_of(uid).path
    drawn = tmp_path / "drawn.pgm"
    command = [program("dcmp2pgm"), "-p", str(saved(state, tmp_path / "state.dcm")), str(image), str(drawn)]
    subprocess.run(command, check=True, capture_output=True)
    modality = dcmread(image).pixel_array * 2.0 + 10.0
    with Image.open(drawn) as shown:
        assert np.asarray(shown, float) == pytest.approx(np.clip(modality / 1000.0, 0, 1) * 255.0, abs=1.5)


@pytest.mark.peers("dcmpschk")
def test_dcmtks_checker_of_presentation_states_finds_no_fault(halved: ReportContext, tmp_path: Path) -> None:
    path = saved(states(halved)[0], tmp_path / "state.dcm")
    command = [program("dcmpschk"), str(path)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    lines = (done.stdout + done.stderr).splitlines()
    affected = [line.split(":")[-1].strip() for line in lines if "Affected attribute" in line]
    assert any("Testing" in line for line in lines)
    # its pattern for a DT has a repetition that its own matcher does not understand
    assert set(affected) <= {"ContributionDateTime (0018,a002), Type DT"}


def test_another_rescale_of_the_same_values_makes_another_object(
    halved: ReportContext, tmp_path: Path
) -> None:
    def doubled(image: Dataset) -> None:
        rescaled(image)
        image.RescaleSlope = "1"
        image.PixelData = (image.pixel_array * 2).tobytes()

    other = scanned(tmp_path, doubled)
    assert np.array_equal(other.volume.voxels, halved.volume.voxels)
    assert states(other)[0].SOPInstanceUID != states(halved)[0].SOPInstanceUID
