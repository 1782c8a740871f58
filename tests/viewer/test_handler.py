"""Our reports in OHIF's published SR handler, outside the browser."""

from pathlib import Path

import pytest

from pipeline.phantom import Layout
from reports import ReportOptions
from tests.peers.ohif_handler import load_in_ohif
from tests.viewer.results import phantom, results_of

pytestmark = pytest.mark.peers("node")


@pytest.mark.parametrize("layout", [Layout.SIEMENS, Layout.ENHANCED], ids=str)
def test_the_handler_loads_measurements_with_every_image_and_one_label(
    tmp_path: Path, layout: Layout
) -> None:
    results = results_of(phantom(tmp_path / "study", layout), tmp_path / "results")
    (report,) = results.of_kind("sr")
    loaded = load_in_ohif(report)
    assert loaded.failure == ""
    assert loaded.is_loaded
    assert loaded.referenced_images == len(results.sources)
    assert loaded.measurements == [["Probability of myocardial scar: 87.30 %"]]
    assert loaded.coordinates == [1]


def test_the_handler_loads_every_report_that_is_read_as_text(tmp_path: Path) -> None:
    options = ReportOptions(extra_objects=("cardiovascular_report",))
    results = results_of(phantom(tmp_path / "study", Layout.ENHANCED), tmp_path / "results", options=options)
    for report in (*results.of_kind("text"), *results.of_kind("cardiovascular")):
        loaded = load_in_ohif(report)
        assert (loaded.failure, loaded.is_loaded, loaded.measurements) == ("", True, [])
