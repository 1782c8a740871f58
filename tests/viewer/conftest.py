"""One archive and one browser for all tests of this folder, and two studies in it: simulated and real."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reports import PriorReport
from tests.peers import Orthanc
from tests.peers.ohif_packages import VIEWER
from tests.peers.ohif_viewer import Viewer
from tests.peers.presence import missing, require
from tests.viewer.results import Results, phantom, results_of
from tests.viewer.stage import stage, store


@pytest.fixture(scope="package")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Orthanc, Viewer]]:
    require("Orthanc", "storescu", "chromium")
    if not VIEWER.folder.exists():
        missing("OHIF is not here: run `make peers`")
    with stage(tmp_path_factory.mktemp("orthanc")) as (archive, viewer):
        yield archive, viewer


@pytest.fixture(scope="package")
def viewer(theatre: tuple[Orthanc, Viewer]) -> Viewer:
    return theatre[1]


@pytest.fixture(scope="package")
def simulated(theatre: tuple[Orthanc, Viewer], tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Analysed twice: what an archive holds beside the current results are those they supersede."""
    folder = tmp_path_factory.mktemp("study")
    sources = phantom(folder / "images")
    first = results_of(sources, folder / "superseded", probability=0.31)
    priors = tuple(
        PriorReport(str(sr.SOPClassUID), str(sr.SOPInstanceUID), str(sr.SeriesInstanceUID))
        for sr in (*first.of_kind("sr"), *first.of_kind("text"))
    )
    second = results_of(sources, folder / "simulated", priors=priors)
    store(theatre[0], [*first.files, *(path for _, path in second.made)])
    return second


@pytest.fixture(scope="package")
def real(
    theatre: tuple[Orthanc, Viewer],
    sunnybrook: Callable[[str], list[Path]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Results:
    results = results_of(sunnybrook("SC-HF-I-4"), tmp_path_factory.mktemp("study") / "real")
    store(theatre[0], results.files)
    return results
