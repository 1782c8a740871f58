"""What the way in C has left is not given to it again with every byte that comes."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.dicom_node.one_association import OneAssociation
from tests.dicom_node.receiving import Sent
from tests.dicom_node.test_reactor import store

STUDY = "1.7.1"
FOREIGN = b"\x09\0\0\1\0\0" + bytes(1000)  # the begin of 65536 bytes of nothing that there is


@pytest.fixture
def site(tmp_path: Path, native_part: None) -> Iterator[OneAssociation]:
    with closing(OneAssociation(tmp_path)) as site:
        site.keep(Sent(study=STUDY, instance="1.7.1.0"))
        yield site


def test_what_was_left_is_left_until_somebody_has_used_it(site: OneAssociation) -> None:
    lane = site.native()
    site.peer.sendall(FOREIGN)
    assert lane.can_serve()
    assert lane.serve(10.0)
    assert not lane.can_serve()
    assert site.wire.take_rest() == FOREIGN
    assert lane.can_serve()


def test_what_is_plain_and_not_whole_is_not_left(site: OneAssociation) -> None:
    lane = site.native()
    said = b"".join(store(Sent(study=STUDY), 2, pieces=1))
    site.peer.sendall(said[:-1])
    assert lane.can_serve()
    assert not lane.serve(0.1)
    assert lane.can_serve()
    site.peer.sendall(said[-1:])
    assert not lane.serve(0.1)
    assert len(list(site.archive.paths())) == 2
