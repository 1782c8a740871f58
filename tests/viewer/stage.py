"""An archive with some files in it, OHIF in front of it, and a browser that looks.

To look at any folder of DICOM files, and keep a screenshot of every series that a scanner did not make:

    .venv/bin/python -m tests.viewer.stage FOLDER [SCREENSHOTS]
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread

from tests.peers.dcmtk import storescu
from tests.peers.ohif_origin import Origin
from tests.peers.ohif_packages import VIEWER
from tests.peers.ohif_viewer import Pane, Viewer
from tests.peers.orthanc import Orthanc

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"


@contextmanager
def stage(folder: Path, screenshots: Path = SCREENSHOTS) -> Iterator[tuple[Orthanc, Viewer]]:
    """An empty archive that keeps its files in `folder`, and a browser in front of it."""
    with (
        Orthanc(folder, dicomweb=True) as archive,
        Origin(VIEWER.folder / "dist", archive.http_port) as origin,
        Viewer(origin.url, screenshots) as viewer,
    ):
        yield archive, viewer


def store(archive: Orthanc, files: Sequence[Path]) -> None:
    """Send files as a node would; every one must be taken."""
    sent = storescu(files, archive.dicom_port, archive.ae_title, options=["--required"])
    assert sent.statuses == ["Success"] * len(files), sent.output


def settled(pane: Pane, series: str) -> dict[str, Any]:
    """Wait until the series is shown, as a picture, as drawings on one, or as text; the state then."""

    def shown(state: dict[str, Any]) -> bool:
        here = {one["uid"] for one in state["sets"] if one["series"] == series} & set(state["shown"])
        drawn = state["status"] == "rendered" and state["spread"] > 2
        return bool(here) and (drawn or len(state["text"]) > 200)

    return pane.wait(f"series {series} is shown", shown)


def look(folder: Path, screenshots: Path) -> None:
    """Store every file under `folder`, open each series of results by its address, say what was seen."""
    headers = {path: dcmread(path, stop_before_pixels=True) for path in sorted(folder.rglob("*.dcm"))}
    series: dict[str, Dataset] = {}
    for header in headers.values():
        if header.Modality != "MR":
            series.setdefault(str(header.SeriesInstanceUID), header)
    with tempfile.TemporaryDirectory() as work, stage(Path(work), screenshots) as (archive, viewer):
        store(archive, list(headers))
        for uid, header in series.items():
            pane = viewer.open(str(header.StudyInstanceUID), uid)
            name = f"{header.get('SeriesNumber', '')}-{header.Modality}"
            try:
                state = settled(pane, uid)
                seen = [str(state["labels"]), str(state["text"])[:2000]]
            except AssertionError as failure:
                seen = [str(failure)]
            else:
                seen.append(f"screenshot: {pane.screenshot(name)}")
            title = f"== {name} {header.get('SeriesDescription', '')}"
            sys.stdout.write("\n".join([title, *seen, f"faults: {pane.faults}"]) + "\n")


if __name__ == "__main__":
    look(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else SCREENSHOTS)
