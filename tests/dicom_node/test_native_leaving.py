"""What the way in C has left is not given to it again with every byte that comes."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, build_context
from pynetdicom.pdu_primitives import A_ASSOCIATE, MaximumLengthNotification

from dicom_node.archive import Archive, Arrival
from dicom_node.receiver.native_lane import NativeLane, Site, native_lane
from dicom_node.receiver.outbox import Outbox
from dicom_node.receiver.served import ServedAssociation
from dicom_node.receiver.session import Sessions
from dicom_node.receiver.storing import Storing
from dicom_node.receiver.wire import Bell, Wire
from tests.dicom_node.receiving import MR_IMAGE, Sent
from tests.dicom_node.test_reactor import store
from tests.fuzz.native_play import archive_folder
from tests.peers.presence import missing

STUDY, MOST_BYTES = "1.7.1", 1 << 20
FOREIGN = b"\x09\0\0\1\0\0" + bytes(1000)  # the begin of 65536 bytes of nothing that there is


class Connection:
    """A native lane on one end of a connection, and the peer's end of it."""

    def __init__(self, folder: Path, open_ones: ExitStack) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.peer = open_ones.enter_context(socket.create_connection(listener.getsockname(), 10.0))
            connection = open_ones.enter_context(listener.accept()[0])
        heard, said = os.pipe()
        outbox = Outbox(said)
        for close in (lambda: os.close(heard), lambda: os.close(said), lambda: outbox.close(10.0)):
            open_ones.callback(close)
        self.archive, sessions = Archive(folder, 0), Sessions()
        association = _negotiated()
        session = open_ones.enter_context(sessions.opened(association, "127.0.0.1"))
        bell = Bell()
        open_ones.callback(bell.close)
        self.wire = Wire(association, connection, bell)
        site = Site(
            self.archive, sessions, Storing(self.archive, outbox, sessions, MOST_BYTES), MOST_BYTES, 0
        )
        self.archive.keep(Arrival(STUDY, "1.7.1.0", MR_IMAGE, ExplicitVRLittleEndian, "PEER", b"\0\0"))
        session.study = STUDY
        lane = native_lane(site, session, self.wire)
        assert lane is not None
        self.lane: NativeLane = lane


def _negotiated() -> ServedAssociation:
    association = ServedAssociation(AE(), "acceptor")
    context = build_context(MR_IMAGE, ExplicitVRLittleEndian)
    context.context_id = 1
    association._accepted_cx = {1: context}
    longest = MaximumLengthNotification()
    longest.maximum_length_received = 16_384
    request = A_ASSOCIATE()
    request.user_information = [longest]
    association.requestor.primitive = request
    association.requestor.ae_title = "PEER"
    return association


@pytest.fixture
def made() -> Iterator[Connection]:
    if find_spec("dicom_node.receiver._native") is None:
        missing("the module in C is not built: make native")
    with archive_folder() as folder, ExitStack() as open_ones:
        yield Connection(folder, open_ones)


def test_what_was_left_is_left_until_somebody_has_used_it(made: Connection) -> None:
    made.peer.sendall(FOREIGN)
    assert made.lane.can_serve()
    assert made.lane.serve(10.0)
    assert not made.lane.can_serve()
    assert made.wire.take_rest() == FOREIGN
    assert made.lane.can_serve()


def test_what_is_plain_and_not_whole_is_not_left(made: Connection) -> None:
    said = b"".join(store(Sent(study=STUDY), 2, pieces=1))
    made.peer.sendall(said[:-1])
    assert made.lane.can_serve()
    assert not made.lane.serve(0.1)
    assert made.lane.can_serve()
    made.peer.sendall(said[-1:])
    assert not made.lane.serve(0.1)
    assert len(list(made.archive.paths())) == 2
