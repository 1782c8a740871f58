"""A PACS and a node that delivers to it, shared by the tests that only add studies."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.node import ServedNode
from tests.peers import Orthanc


@dataclass(frozen=True)
class Site:
    """A node and the Orthanc its results go to."""

    node: ServedNode
    pacs: Orthanc


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With the demonstration weights, as they are shipped."""
    with _site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def light_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With a light model, where the network's answer does not matter."""
    with _site(tmp_path_factory.mktemp("site"), light=True) as site:
        yield site


@contextmanager
def _site(folder: Path, *, light: bool = False) -> Iterator[Site]:
    with Orthanc(folder / "orthanc") as pacs:
        destination = {
            "name": "orthanc",
            "host": "127.0.0.1",
            "port": pacs.dicom_port,
            "ae_title": pacs.ae_title,
            "proof": "none",
        }
        with ServedNode(folder / "node", light=light, destinations=[destination]) as node:
            yield Site(node, pacs)
