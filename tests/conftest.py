"""Real data, real peers, and what happens where they are missing: skipped here, a failure in CI."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.peers.presence import PEERS, missing, require

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """`@pytest.mark.peers` needs every peer, `@pytest.mark.peers("storescu")` the named ones."""
    for marker in item.iter_markers("peers"):
        require(*(marker.args or PEERS))
    if item.get_closest_marker("data"):
        _need_data()


def _need_data() -> None:
    if not (SHARED_DATA / "README.md").exists():
        missing("the real studies are not here: expected in ../shared/data beside the checkout")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real studies; read its README for what they are. Never write here."""
    _need_data()
    return SHARED_DATA


@pytest.fixture(scope="session")
def sunnybrook(data_dir: Path) -> Callable[[str], list[Path]]:
    """`sunnybrook("SC-HF-I-4")`: the files of one patient, in the order of their numbers."""

    def files_of(patient: str) -> list[Path]:
        folder = data_dir / "sunnybrook" / patient / "dicom"
        return sorted(folder.glob("*.dcm"), key=lambda path: int(path.stem))

    return files_of


@pytest.fixture(scope="session")
def bivme(data_dir: Path) -> list[Path]:
    """All 275 files of the Siemens study: six short-axis series of one slice each, and five others."""
    return sorted((data_dir / "bivme" / "dicom").rglob("*.dcm"))
