"""One association without its threads: a test holds each part of it in its hands."""

import os
import socket
from pathlib import Path

from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, build_context
from pynetdicom.pdu_primitives import A_ASSOCIATE, MaximumLengthNotification

from dicom_node.archive import Archive
from dicom_node.receiver.bounds import Bounds
from dicom_node.receiver.express import Express
from dicom_node.receiver.native_lane import NativeLane, Site, native_lane
from dicom_node.receiver.negotiation import Outcomes
from dicom_node.receiver.outbox import Outbox
from dicom_node.receiver.served import ServedAssociation
from dicom_node.receiver.session import Sessions
from dicom_node.receiver.storing import Storing
from dicom_node.receiver.wire import Bell, Wire
from tests.dicom_node.receiving import MR_IMAGE, Sent
from tests.dicom_node.test_reactor import store

_SMALLEST = 1  # the kernel makes it a few kilobytes
_LARGEST = 1 << 30


class OneAssociation:
    """An association's end of a connection and all that stores what comes on it, and the peer's end."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.peer = socket.socket()
            self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALLEST)
            self.peer.connect(listener.getsockname())
            connection, _ = listener.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SMALLEST)
        self.peer.settimeout(10.0)
        connection.settimeout(10.0)
        association = ServedAssociation(AE(), "acceptor", Outcomes())
        _negotiated(association)
        self.archive = Archive(folder / "archive", 0)
        self.heard, self._said = os.pipe()
        self._outbox = Outbox(self._said)
        self.sessions = Sessions()
        self.storing = Storing(self.archive, self._outbox, self.sessions, _LARGEST)
        self._open = self.sessions.opened(association, "127.0.0.1")
        self.session = self._open.__enter__()
        self._express = Express(self.session, self.sessions, self.storing, Bounds(self.sessions, _LARGEST))
        self.bell = Bell()
        self.wire = Wire(association, connection, self.bell)

    def close(self) -> None:
        self._open.__exit__(None, None, None)
        self.wire.close()
        self.bell.close()
        self.peer.close()
        self._outbox.close(10.0)
        os.close(self.heard)
        os.close(self._said)

    def native(self) -> NativeLane:
        """The lane in C for it. It needs an object that was kept, to know what to follow."""
        lane = native_lane(
            Site(self.archive, self.sessions, self.storing, _LARGEST, 0, None), self.session, self.wire
        )
        assert lane is not None
        return lane

    def keep(self, item: Sent) -> None:
        """Store it as if it had come, in Python."""
        for pdu in store(item, 1):
            with memoryview(pdu) as view:
                assert self._express.take(view)
        self._express.answer()
        self._express.sent()


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
