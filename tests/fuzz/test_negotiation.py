"""Under any wrong in a request, what was negotiated before changes nothing of what comes of it now."""

import logging
import random
from collections.abc import Iterator

import pytest
from pynetdicom import AE
from pynetdicom.fsm import AE_6, AE_7

import dicom_node.receiver.acceptor  # noqa: F401 - what it sets of pynetdicom counts here, too
from dicom_node.conformance import accepted_contexts
from dicom_node.receiver.negotiation import Outcomes
from dicom_node.receiver.served import ServedAssociation
from tests.dicom_node.association_requests import NEGOTIATED
from tests.fuzz.conversations import association_request
from tests.fuzz.mutations import spoil_association
from tests.fuzz.streams import parsed

SEED, INPUTS = 20, 150
_FIRST_ITEM = 74


class _Wire:
    """What is sent, kept."""

    sent = b""

    def send(self, pdu: bytes) -> None:
        self.sent += pdu


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def end_of(request: bytes, outcomes: Outcomes) -> tuple[bytes | type, list[str]]:
    """What is sent for a request, or how it fails, on one thread; and the contexts that can be used then."""
    association = ServedAssociation(AE("DICOMNODE"), "acceptor", outcomes)
    association.acceptor.ae_title = "DICOMNODE"
    association.acceptor.supported_contexts = accepted_contexts()
    dul, wire = association.dul, _Wire()
    dul.socket = wire  # type: ignore[assignment]
    try:
        dul._recv_pdu.put(dul._decode_pdu(bytearray(request))[0])
        if AE_6(dul) == "Sta3":
            association.requestor.primitive = dul.to_user_queue.get_nowait()
            association.acse.negotiate_association()
            AE_7(dul)
    except Exception as error:  # noqa: BLE001 - however it fails, it is to fail alike
        return type(error), []
    finally:
        dul.bell.close()
    return wire.sent, [str(context) for context in association.accepted_contexts]


def spoiled(whole: bytes, rng: random.Random) -> bytes:
    """Some wrongs that are mostly fatal, or one byte that is another."""
    if rng.random() < 0.5:
        request = parsed(whole)
        spoil_association(request, rng)
        return request.encoded()
    changed = bytearray(whole)
    changed[rng.randrange(_FIRST_ITEM, len(whole))] = rng.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize("whole", [NEGOTIATED["several transfer syntaxes"], association_request()])
def test_a_spoiled_request_comes_to_the_same_whatever_was_negotiated_before(whole: bytes) -> None:
    rng, known = random.Random(SEED), Outcomes()
    ends = {end_of(whole, known)[0] for _ in range(2)}
    assert len(ends) == 1
    for _ in range(INPUTS):
        wrong = spoiled(whole, rng)
        fresh = end_of(wrong, Outcomes())
        assert [end_of(wrong, known) for _ in range(2)] == [fresh] * 2
        ends.add(fresh[0])
    assert len([end for end in ends if isinstance(end, bytes)]) > 5
    assert len([end for end in ends if isinstance(end, type)]) > 2
