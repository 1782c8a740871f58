"""The summary page's pixels: the bull's-eye says what the values say, and no text leaves its place."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models import Method
from pipeline import Study
from pipeline.phantom import Phantom
from reports import InputQuality, ReportContext
from reports.bullseye import bullseye, ink_on
from reports.draft import Draft
from reports.lettering import BLACK, WHITE, fitted, fitting, typeface
from reports.map_words import MAP_WORDS
from reports.overlay import colours
from reports.page_style import BAND, BLUE, GREY, HEIGHT, PAPER, RULE, WIDTH
from reports.page_text import MORE, columns, lines_of, paragraphs, set_column
from reports.picture_row import SIDE
from reports.segment_saliency import SegmentSaliency, convention, not_covered
from reports.summary_page import page
from tests.reports.hearts import heart_context
from tests.reports.scans import model, small_context

TOP, LEFT = 332, 48
BULLSEYE = slice(TOP, TOP + SIDE), slice(LEFT, LEFT + SIDE)
SLICES = slice(TOP, TOP + SIDE), slice(LEFT + SIDE + 24, LEFT + 3 * SIDE + 48)

# The middle of every segment, counter-clockwise from the lateral wall (Cerqueira 2002), and its ring from outside.
PLACES = {
    **{1 + k: (0, 90.0 + 60.0 * k) for k in range(6)},
    **{7 + k: (1, 90.0 + 60.0 * k) for k in range(6)},
    **{13 + k: (2, 90.0 + 90.0 * k) for k in range(4)},
}


@pytest.fixture(scope="module")
def context(heart: Phantom, heart_study: Study) -> ReportContext:
    return heart_context(heart, heart_study)


def answered(context: ReportContext, **changes: Any) -> ReportContext:
    return replace(context, prediction=replace(context.prediction, **changes))


def chroma(pixels: NDArray[np.uint8]) -> NDArray[np.int_]:
    """How far each pixel is from grey."""
    return np.ptp(pixels.astype(int), axis=-1)


def beside_the_label(segment: int) -> tuple[int, int]:
    """(row, column) in the bull's-eye, in a segment but away from what is written in it."""
    ring, angle = PLACES[segment]
    radius = SIDE * (0.455 - 0.125 * (ring + 0.5))
    turn = np.radians(angle + (33.0 if segment > 12 else 24.0))
    return round(SIDE / 2 - radius * np.sin(turn)), round(SIDE / 2 + radius * np.cos(turn))


def test_every_sector_has_the_colour_of_its_value() -> None:
    saliency = SegmentSaliency(tuple((segment, segment / 20) for segment in PLACES))
    picture = np.asarray(bullseye(saliency, SIDE))
    for segment, value in saliency.values:
        expected = np.rint(255 * colours(np.asarray(value)))
        assert picture[beside_the_label(segment)].tolist() == expected.tolist(), segment


@pytest.mark.parametrize("segment", PLACES)
def test_a_segment_lies_where_the_heart_association_draws_it(segment: int) -> None:
    values = tuple((other, 1.0 if other == segment else 0.0) for other in PLACES)
    picture = np.asarray(bullseye(SegmentSaliency(values), SIDE))
    row, column = np.mean(np.nonzero(picture[..., 0] > picture[..., 2].astype(int) + 60), axis=1)
    ring, angle = PLACES[segment]
    right, up = column - SIDE / 2, SIDE / 2 - row
    assert abs((np.degrees(np.arctan2(up, right)) - angle + 180) % 360 - 180) < 3
    assert (0, 1, 2)[int(np.digitize(np.hypot(right, up) / SIDE, (0.33, 0.205)))] == ring


@pytest.mark.parametrize("segment", PLACES)
def test_a_segments_value_is_written_on_it(segment: int) -> None:
    values = tuple((other, 1.0 if other == segment else 0.0) for other in PLACES)
    picture = np.asarray(bullseye(SegmentSaliency(values), SIDE))
    row, column = np.mean(np.nonzero((picture == BLACK).all(axis=-1)), axis=1)
    ring, angle = PLACES[segment]
    radius, turn = SIDE * (0.455 - 0.125 * (ring + 0.5)), np.radians(angle)
    assert np.hypot(column - SIDE / 2 - radius * np.cos(turn), SIDE / 2 - row - radius * np.sin(turn)) < 8


def test_segments_without_a_value_are_hatched_and_without_colour() -> None:
    picture = np.asarray(bullseye(SegmentSaliency(tuple((k, 0.9) for k in range(7, 17))), SIDE))
    rows, columns_ = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    radius = np.hypot(rows, columns_) / SIDE
    for bare in (picture[(radius > 0.34) & (radius < 0.45)], picture[radius < 0.07]):
        assert chroma(bare).max() <= np.ptp(GREY)
        assert {tuple(PAPER), tuple(RULE)} <= {tuple(pixel) for pixel in bare.tolist()}


def test_what_is_written_on_a_sector_stands_out_from_it() -> None:
    for value in np.linspace(0, 1, 21).tolist():
        lightness = float(colours(np.asarray(value)) @ np.array((0.2126, 0.7152, 0.0722)))
        assert abs(lightness - (1.0 if ink_on(value) == WHITE else 0.0)) > 0.4
    assert (ink_on(0.0), ink_on(1.0)) == (WHITE, BLACK)


def test_the_page_shows_the_bulls_eye_of_the_report(context: ReportContext) -> None:
    draft = Draft.of(context)
    picture = page(draft)[BULLSEYE]
    for segment, value in draft.segments.values:
        assert (
            picture[beside_the_label(segment)].tolist() == np.rint(255 * colours(np.asarray(value))).tolist()
        )


def test_where_there_are_no_segments_the_page_says_why_instead(
    tmp_path: Path, context: ReportContext
) -> None:
    refused = page(Draft.of(small_context(tmp_path)))
    lost = answered(context, centre=replace(context.prediction.centre, guessed=True))  # type: ignore[type-var]
    assert chroma(refused[BULLSEYE]).max() <= np.ptp(GREY)
    assert chroma(refused[SLICES]).max() > 100
    assert (refused[BULLSEYE] != page(Draft.of(lost))[BULLSEYE]).any()


def test_without_a_map_there_are_three_plain_slices_and_no_scale(context: ReportContext) -> None:
    plain = page(Draft.of(answered(context, attention=None, attention_method="")))
    row = plain[TOP : TOP + SIDE]
    assert chroma(row).max() <= np.ptp(GREY)
    for number in range(3):
        left = LEFT + number * (SIDE + 24)
        assert row[:, left : left + SIDE].std() > 20


@pytest.mark.parametrize(("probability", "threshold"), [(0.0, 0.5), (0.31, 0.02), (0.9, 0.5), (1.0, 0.99)])
def test_the_bar_ends_at_the_probability_and_is_marked_at_the_threshold(
    context: ReportContext, probability: float, threshold: float
) -> None:
    drawn = page(Draft.of(answered(context, probability=probability, threshold=threshold)))
    bar, width = drawn[244], WIDTH - 2 * LEFT
    blue = np.nonzero((bar == BLUE).all(axis=-1))[0]
    white = np.nonzero((bar == WHITE).all(axis=-1))[0]
    assert len(blue) == pytest.approx(probability * width, abs=6)
    assert white.mean() == pytest.approx(LEFT + threshold * width, abs=2)


LONG = {
    "long": {
        "probability": 0.499999999,
        "attention_method": "The network's own attention, explained at length. " * 20,
        "notes": tuple(f"Sentence {number} " + "w" * 300 for number in range(40)),
        "model": replace(
            model(demonstration=True),
            name="Spatiotemporal Residual Attention Network of the Hospital of Saint Elsewhere " * 2,
            version="12.3.4-rc.11+build." + "7" * 80,
            label="Scar of any kind " * 8,
            trained_on="Trained on many hearts. " * 30,
        ),
    },
    "certain": {"probability": 1.0, "threshold": 0.0},
    "no map": {"attention": None, "attention_method": ""},
}


@pytest.mark.parametrize("answer", LONG.values(), ids=LONG)
def test_nothing_leaves_the_page_whatever_there_is_to_say(
    context: ReportContext, answer: dict[str, Any]
) -> None:
    quality = InputQuality("9 slices x 3 phases, complete", ("A limit of the input. " * 9,) * 9, limited=True)
    drawn = page(Draft.of(replace(answered(context, **answer), quality=quality)))
    assert drawn.shape == (HEIGHT, WIDTH, 3)
    below = drawn[BAND + 1 :]
    assert (below[:, : LEFT - 3] == PAPER).all()
    assert (below[:, WIDTH - LEFT + 3 :] == PAPER).all()
    assert (below[-16:] == PAPER).all()


def test_no_column_writes_into_the_next(context: ReportContext) -> None:
    draft = Draft.of(answered(context, **LONG["long"]))
    texts = paragraphs(draft)
    boxes = columns(texts, (48, 826, 1392, 1100))
    image = Image.new("RGB", (WIDTH, HEIGHT))
    for text, box in zip(texts, boxes, strict=True):
        set_column(ImageDraw.Draw(image), text, box, (WHITE, WHITE))
    drawn = np.asarray(image).any(axis=-1)
    for left, _, right, _ in boxes:
        assert drawn[:, left:right].any()
        drawn = np.where((np.arange(WIDTH) >= left - 2) & (np.arange(WIDTH) <= right + 2), False, drawn)
    assert len(boxes) == 4
    assert not drawn.any()


def test_what_does_not_fit_is_said_to_be_in_the_report(context: ReportContext) -> None:
    texts = paragraphs(Draft.of(answered(context, **LONG["long"])))
    boxes = columns(texts, (48, 826, 1392, 1100))
    assert lines_of(texts[0], boxes[0])[-1] == MORE


def test_the_convention_of_the_segments_is_never_cut(context: ReportContext) -> None:
    texts = paragraphs(Draft.of(answered(context, **LONG["long"])))
    boxes = columns(texts, (48, 826, 1392, 1100))
    worst = replace(texts[2], sentences=(not_covered((1, 7, 17)), *convention(MAP_WORDS[Method.ATTENTION])))
    assert texts[2].sentences[1:] == convention(MAP_WORDS[Method.ATTENTION])
    assert " ".join(lines_of(worst, boxes[2])) == " ".join(worst.sentences)


def test_levels_that_are_not_covered_are_named() -> None:
    assert not_covered((1, 2, 3, 4, 5, 6, 17)) == "Not covered: basal (1-6), apex (17)."


def test_the_finding_is_legible_on_a_thumbnail(context: ReportContext) -> None:
    small = Image.fromarray(page(Draft.of(context))).resize((512, 398), Image.Resampling.LANCZOS)
    number = np.asarray(small)[36:76, 17:150].min(axis=-1) > 180
    rows = np.nonzero(number.any(axis=1))[0]
    assert np.ptp(rows) >= 22


@pytest.mark.parametrize("width", [0, 30, 200, 2000])
def test_a_line_that_is_too_long_is_cut_where_it_is_said(width: int) -> None:
    font, text = typeface(20), "Spatiotemporal Residual Attention Network"
    cut = fitted(text, font, width)
    assert font.getlength(cut) <= width or cut == "…"
    assert cut == text or cut.endswith("…")


def test_type_shrinks_until_it_fits() -> None:
    assert fitting("49.9 %", 470, (100, 40), bold=True).size == 100
    assert fitting("49.999999999 %", 470, (100, 40), bold=True).size == 40
    assert fitting("w" * 99, 470, (100, 40)).size == 40
