"""A hand never waits for a peer: what that would take is left to the association's own thread."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, build_context
from pynetdicom.pdu_primitives import A_ASSOCIATE, MaximumLengthNotification

from dicom_node.archive import Archive
from dicom_node.receiver.bounds import Bounds
from dicom_node.receiver.express import Express
from dicom_node.receiver.framing import Malformed
from dicom_node.receiver.lane import Lane
from dicom_node.receiver.outbox import Outbox
from dicom_node.receiver.served import ServedAssociation
from dicom_node.receiver.session import Sessions
from dicom_node.receiver.storing import Storing
from dicom_node.receiver.wire import Bell, Wire
from tests.dicom_node.receiving import MR_IMAGE, Sent
from tests.dicom_node.test_reactor import NOT_AMID, store

_SMALLEST = 1  # the kernel makes it a few kilobytes
_LARGEST = 1 << 30


class Site:
    """A lane on one end of a connection, and the peer's end of it."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.peer = socket.socket()
            self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALLEST)
            self.peer.connect(listener.getsockname())
            connection, _ = listener.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SMALLEST)
        self.peer.settimeout(10.0)
        connection.settimeout(10.0)
        association = ServedAssociation(AE(), "acceptor")
        _negotiated(association)
        self.archive = Archive(folder / "archive", 0)
        self._heard, self._said = os.pipe()
        self._outbox = Outbox(self._said)
        sessions = Sessions()
        storing = Storing(self.archive, self._outbox, sessions, _LARGEST)
        self._open = sessions.opened(association, "127.0.0.1")
        self.session = self._open.__enter__()
        self.express = Express(self.session, sessions, storing, Bounds(sessions, _LARGEST))
        self.bell = Bell()
        self.wire = Wire(association, connection, self.bell)
        self.times_heard = 0
        self.lane = Lane(self.wire, self.express, self._count)

    def close(self) -> None:
        self._open.__exit__(None, None, None)
        self.wire.close()
        self.bell.close()
        self.peer.close()
        self._outbox.close(10.0)
        os.close(self._heard)
        os.close(self._said)

    def _count(self) -> None:
        self.times_heard += 1


def _negotiated(association: ServedAssociation) -> None:
    context = build_context(MR_IMAGE, ExplicitVRLittleEndian)
    context.context_id = 1
    association._accepted_cx = {1: context}
    longest = MaximumLengthNotification()
    longest.maximum_length_received = 16_384
    request = A_ASSOCIATE()
    request.user_information = [longest]
    association.requestor.primitive = request
    association.requestor.ae_title = "PEER"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with closing(Site(tmp_path)) as site:
        yield site


def test_an_object_is_stored_and_answered_as_soon_as_its_last_byte_is_there(site: Site) -> None:
    item = Sent(study="1.6.1")
    said = b"".join(store(item, 1))
    site.peer.sendall(said[:-1])
    assert site.lane.serve()
    assert list(site.archive.paths()) == []
    site.peer.sendall(said[-1:])
    assert site.lane.serve()
    assert len(list(site.archive.paths())) == 1
    assert site.peer.recv(1) == b"\4"
    assert site.times_heard == 2


def test_when_nothing_has_come_nothing_happens(site: Site) -> None:
    assert site.lane.serve()
    assert site.times_heard == 0


def test_a_peer_that_does_not_take_its_answers_is_left_to_its_own_thread(site: Site) -> None:
    requests, at_once = 0, True
    while at_once:
        requests += 1
        assert requests < 2000, "a hand never came to wait"
        site.peer.sendall(b"".join(store(Sent(study="1.6.2", pixels=b""), requests)))
        at_once = site.lane.serve()
    answers = bytearray()

    def take() -> None:
        while answers.count(Sent(study="1.6.2").instance.encode()) < requests:
            answers.extend(site.peer.recv(65_536))

    taking = threading.Thread(target=take)
    taking.start()
    site.lane.finish()
    taking.join(20.0)
    assert not taking.is_alive(), "an answer, or part of one, was lost"
    assert site.session.stored == requests
    assert not site.express.serving
    site.peer.sendall(b"".join(store(Sent(study="1.6.2", instance="1.6.2.9"), 7)))
    assert site.lane.serve(), "it goes on as before"


def test_a_long_object_is_left_to_its_own_thread(site: Site) -> None:
    item = Sent(study="1.6.3", pixels=bytes(3_000_000))
    said = b"".join(store(item, 1, pieces=30))
    sending = threading.Thread(target=site.peer.sendall, args=(said,))
    sending.start()
    while site.lane.serve():
        assert list(site.archive.paths()) == [], "a hand stored it"
    sending.join()
    assert site.express.due
    assert list(site.archive.paths()) == []
    site.lane.finish()
    assert len(list(site.archive.paths())) == 1
    assert site.peer.recv(1) == b"\4"


@pytest.mark.parametrize("wrong", NOT_AMID.values(), ids=NOT_AMID)
def test_what_no_association_survives_is_found_again_by_its_own_thread(site: Site, wrong: bytes) -> None:
    site.peer.sendall(b"".join(store(Sent(study="1.6.4"), 1)[:2]) + wrong)
    assert not site.lane.serve()
    pdu = site.wire.pdu()
    assert pdu is not None
    with pytest.raises(Malformed):
        site.lane.take(pdu)


@pytest.mark.parametrize("reset", [False, True])
def test_the_end_of_a_connection_is_left_to_its_own_thread(site: Site, reset: bool) -> None:
    if reset:
        site.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    site.peer.close()
    assert not site.lane.serve()
