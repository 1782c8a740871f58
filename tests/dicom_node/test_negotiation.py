"""What was negotiated once is answered again as it was, and belongs to the association that it is given to."""

import os
from collections.abc import Iterator

import pytest
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.transport import ThreadedAssociationServer

from dicom_node.archive import Archive
from dicom_node.archive.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION
from dicom_node.conformance import MAX_PDU_BYTES, accepted_contexts
from dicom_node.receiver.acceptor import Acceptor
from dicom_node.receiver.negotiation import Outcomes
from dicom_node.receiver.outbox import Outbox
from dicom_node.receiver.proposal import proposal
from dicom_node.receiver.reports import Expected
from dicom_node.receiver.served import ServedAssociation
from dicom_node.receiver.server import Server
from dicom_node.receiver.settings import ReceiverSettings
from tests.dicom_node.association_requests import (
    AC,
    CT,
    EXPLICIT,
    IDENTITY,
    IMPLICIT,
    LEFT_ALONE,
    MANY,
    MR,
    NEGOTIATED,
    NOT_ACCEPTED,
    SOME,
    Peer,
    answer,
    context,
    contexts,
    request,
    user,
)
from tests.peers.presence import until

MOST_LISTS = 32


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A receiver in this process."""
    tmp_path = tmp_path_factory.mktemp("node")
    heard, said = os.pipe()
    outbox = Outbox(said)
    settings = ReceiverSettings(
        archive=str(tmp_path / "archive"),
        requests=str(tmp_path / "requests"),
        reserve_bytes=0,
        ae_title="DICOMNODE",
        host="127.0.0.1",
        port=0,
        require_called_ae=True,
        callers=(),
        max_associations=10,
        max_object_bytes=1 << 20,
        journal_bytes=0,
        idle_timeout_s=10.0,
        discard=True,
    )
    acceptor = Acceptor(settings, Archive(tmp_path / "archive", 0), outbox, Expected())
    acceptor.start()
    yield acceptor._server
    acceptor.stop()
    outbox.close(10.0)
    os.close(heard)
    os.close(said)


@pytest.fixture
def node(running: Server) -> Server:
    """The receiver, which has negotiated nothing yet."""
    running.outcomes = Outcomes()
    return running


@pytest.fixture(scope="module")
def stock() -> Iterator[ThreadedAssociationServer]:
    """Pynetdicom as it is, which accepts what we do."""
    ae = AE("DICOMNODE")
    ae.supported_contexts = accepted_contexts()
    ae.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    ae.implementation_version_name = IMPLEMENTATION_VERSION
    ae.maximum_pdu_size = MAX_PDU_BYTES
    server = ae.start_server(("127.0.0.1", 0), block=False)
    assert isinstance(server, ThreadedAssociationServer)
    yield server
    server.shutdown()


def established(node: Server, count: int) -> list[Association]:
    """The associations that can be used, once there are so many."""
    found: list[Association] = []

    def all_there() -> bool:
        everybody = [session.association for session in node.sessions.all()]
        found[:] = [one for one in everybody if one.is_established]
        return len(found) == count

    until(all_there, f"{count} associations are established")
    return found


@pytest.mark.parametrize("said", NEGOTIATED.values(), ids=NEGOTIATED)
def test_a_request_is_answered_as_pynetdicom_does_and_again_the_same(
    node: Server, stock: ThreadedAssociationServer, said: bytes
) -> None:
    expected = answer(stock.server_address[1], said)
    assert expected[0] == AC
    assert answer(node.port, said) == expected
    assert node.outcomes.of(proposal(said).contexts) is not None
    assert [answer(node.port, said) for _ in range(3)] == [expected] * 3


@pytest.mark.parametrize("said", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_what_depends_on_more_than_its_contexts_is_negotiated_each_time(
    node: Server, stock: ThreadedAssociationServer, said: bytes
) -> None:
    expected = answer(stock.server_address[1], said)
    assert expected[0] == AC
    assert [answer(node.port, said) for _ in range(3)] == [expected] * 3
    assert node.outcomes.of(proposal(said).contexts) is None


@pytest.mark.parametrize("said", NOT_ACCEPTED.values(), ids=NOT_ACCEPTED)
def test_what_is_not_accepted_is_not_remembered(node: Server, said: bytes) -> None:
    first = answer(node.port, said)
    assert first[:1] != bytes([AC])
    assert [answer(node.port, said) for _ in range(2)] == [first] * 2
    assert not node.outcomes._of


@pytest.mark.parametrize("known", ["as DCMTK's storescu", "several transfer syntaxes"])
def test_what_is_known_of_the_contexts_does_not_hide_what_is_wrong_beside_them(
    node: Server, known: str
) -> None:
    listed = proposal(NEGOTIATED[known]).contexts
    wrong = (
        request(listed, user()[:-4]),
        request(listed, b"\x99\0\0\1?", user()),
        request(listed, user(), version=2),
        request(listed, user(), b"\x20\0\0"),
        request(listed, user(), context(255, MR)),
    )
    fresh = [answer(node.port, said) for said in wrong]
    assert AC not in {one[0] for one in fresh if one}
    answer(node.port, NEGOTIATED[known])
    assert node.outcomes.of(listed) is not None
    assert [answer(node.port, said) for said in wrong] == fresh


def test_known_contexts_and_roles_are_negotiated_together(
    node: Server, stock: ThreadedAssociationServer
) -> None:
    said = LEFT_ALONE["roles"]
    answer(node.port, request(proposal(said).contexts, user()))
    assert node.outcomes.of(proposal(said).contexts) is not None
    assert answer(node.port, said) == answer(stock.server_address[1], said)


def test_who_asks_and_with_which_password_is_not_remembered(node: Server) -> None:
    answer(node.port, request(SOME, user(IDENTITY)))
    assert list(node.outcomes._of) == [SOME]


def test_what_one_association_does_with_its_contexts_is_its_own(node: Server) -> None:
    said = request(MANY, user())
    expected = answer(node.port, said)
    established(node, 0)
    peers = [Peer(node.port, said) for _ in range(2)]
    one, other = established(node, 2)
    before = [str(context) for context in other.accepted_contexts]
    assert len(before) > 20
    assert [str(context) for context in one.accepted_contexts] == before
    for mine in one.accepted_contexts:
        mine.result, mine.context_id, mine.abstract_syntax = 0x03, 255, "1.2.3"
        mine.transfer_syntax.clear()
    one._accepted_cx.clear()
    assert [str(context) for context in other.accepted_contexts] == before
    assert answer(node.port, said) == expected
    for peer in peers:
        peer.close()


def test_what_the_first_association_does_with_its_contexts_is_its_own_as_well(node: Server) -> None:
    said = request(SOME, user())
    established(node, 0)
    first = Peer(node.port, said)
    (association,) = established(node, 1)
    for mine in association.accepted_contexts:
        mine.transfer_syntax.clear()
    association._accepted_cx.clear()
    assert answer(node.port, said) == first.answer
    first.close()


def test_a_second_request_is_aborted_and_leaves_nothing_in_the_memory_of_others(node: Server) -> None:
    one, other = context(1, MR, EXPLICIT), context(1, CT, IMPLICIT)
    Peer(node.port, request(one, user()), request(other, user())).hang_up()
    assert node.outcomes.of(other) is None
    assert answer(node.port, request(other, user())) != answer(node.port, request(one, user()))


def test_a_second_request_does_not_take_the_place_of_the_first(node: Server) -> None:
    one, other = request(context(1, MR, EXPLICIT), user()), request(context(1, CT, IMPLICIT), user())
    answer(node.port, one)
    answer(node.port, other)
    association = ServedAssociation(AE(), "acceptor", node.outcomes)
    assert len(association.acse.to_decode(one)) < len(one)
    assert association.acse.to_decode(other) == other
    association.requestor.primitive = A_ASSOCIATE()
    association.acse.send_accept()
    assert [str(context.abstract_syntax) for context in association.accepted_contexts] == [MR.decode()]
    association.dul.bell.close()


def test_lists_are_forgotten_that_were_not_asked_for_of_late(node: Server) -> None:
    often = contexts([(MR, EXPLICIT)])
    for at in range(MOST_LISTS + 8):
        answer(node.port, request(often, user()))
        answer(node.port, request(contexts([(b"1.2.%d" % (at + 1), EXPLICIT)]), user()))
    assert len(node.outcomes._of) == MOST_LISTS
    assert node.outcomes.of(often) is not None
    assert node.outcomes.of(contexts([(b"1.2.1", EXPLICIT)])) is None


def test_what_is_not_known_is_none() -> None:
    assert Outcomes().of(SOME) is None
