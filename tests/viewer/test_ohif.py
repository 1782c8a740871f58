"""What a radiologist sees who opens our results in OHIF."""

import pytest
from pydicom.dataset import Dataset

from tests.peers.ohif_viewer import Pane, Viewer
from tests.reports.tree import items
from tests.viewer.results import Results
from tests.viewer.stage import settled

pytestmark = [pytest.mark.slow, pytest.mark.peers("Orthanc", "storescu", "chromium")]

STUDIES = ["simulated", pytest.param("real", marks=pytest.mark.data)]


@pytest.fixture(params=STUDIES)
def results(request: pytest.FixtureRequest) -> Results:
    """What was made of a study, in the archive."""
    found: Results = request.getfixturevalue(request.param)
    return found


def opened(viewer: Viewer, report: Dataset) -> Pane:
    """The series of `report` on the screen."""
    pane = viewer.open(str(report.StudyInstanceUID), str(report.SeriesInstanceUID))
    settled(pane, str(report.SeriesInstanceUID))
    return pane


def test_the_study_opens_with_a_picture_and_every_series_beside_it(
    viewer: Viewer, simulated: Results
) -> None:
    series = {str(header.SeriesInstanceUID) for header in simulated.headers}
    pane = viewer.open(str(simulated.headers[0].StudyInstanceUID))
    state = pane.wait(
        "every series is listed",
        lambda s: {one["series"] for one in s["sets"]} >= series and s["thumbnails"] >= len(series),
    )
    pane.drawn()
    pane.screenshot("simulated-study")
    assert [one for one in state["sets"] if one["unsupported"]] == []
    assert pane.faults == []


def test_the_measurements_are_one_legible_label_on_the_image(viewer: Viewer, results: Results) -> None:
    (report,) = results.of_kind("sr")
    pane = opened(viewer, report)
    state = pane.wait("the label is drawn", lambda s: s["labels"])
    pane.screenshot(f"{results.name}-measurements")
    (loaded,) = [one for one in state["sets"] if one["series"] == report.SeriesInstanceUID]
    assert state["labels"] == ["Probability of myocardial scar: 87.30 %"]
    assert [one["placed"] for one in loaded["measurements"]] == [True]
    ((left, top, right, bottom),) = state["boxes"]
    assert 0 < left < right < 1600
    assert 10 <= bottom - top < 40
    assert pane.faults == []


def test_the_text_reads_from_the_summary_to_the_signature(viewer: Viewer, results: Results) -> None:
    (report,) = results.of_kind("text")
    pane = opened(viewer, report)
    pane.screenshot(f"{results.name}-text")
    shown = " ".join(pane.state["text"].split())
    sentences = [" ".join(item.TextValue.split()) for item in items(report) if item.ValueType == "TEXT"]
    places = [shown.find(sentence) for sentence in sentences]
    assert "probability of myocardial scar 87.3 %" in sentences[0]
    assert min(places) >= 0
    assert min(places) == places[0] < 120
    assert "not supported" not in shown
    assert not pane.state["overflows"]
    assert pane.faults == []


def test_the_page_and_the_overlays_show_in_their_own_colours(viewer: Viewer, results: Results) -> None:
    pictures = [*results.of_kind("summary"), *results.of_kind("attention")]
    pane = opened(viewer, pictures[0])
    state = pane.drawn()
    assert state["images"] == len(pictures)
    for index in (0, len(pictures) // 2):
        pane.step(index)
        likeness = pane.likeness(pictures[index])
        pane.screenshot(f"{results.name}-picture-{index}")
        assert likeness.all > 0.9
        assert likeness.coloured_pixels > 500
        assert likeness.coloured > 0.85
    assert pane.faults == []
