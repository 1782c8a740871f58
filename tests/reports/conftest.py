"""What several tests of reports look at and none changes."""

import pytest

from pipeline import Study
from pipeline.phantom import Phantom
from tests.reports.hearts import scarred_heart, written


@pytest.fixture(scope="session")
def heart() -> Phantom:
    """A small simulated study of a heart with scar."""
    return scarred_heart()


@pytest.fixture(scope="session")
def heart_study(heart: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The files of `heart`."""
    return written(heart, tmp_path_factory.mktemp("heart"))
