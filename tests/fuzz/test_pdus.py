"""Our own reading of bytes agrees with pynetdicom's under any wrong; a million on demand: `make fuzz`."""

import struct
import zlib
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from tests.fuzz.agreement import check, check_header, check_introduction
from tests.fuzz.conversations import SYNTAXES, association_request, conversations, data_set
from tests.fuzz.pdus import Campaign
from tests.fuzz.streams import P_DATA, Pdu, Pdv, encoded, parsed

SEED, INPUTS = 20, 4000

values = st.builds(
    Pdv,
    st.sampled_from((0, 1, 3, 5, 255)),
    st.sampled_from((0, 1, 2, 3, 0xFF)),
    st.binary(max_size=60) | st.sampled_from([one.values[0].value for one in conversations()[0]]),
    st.none() | st.integers(0, 0xFFFFFFFF) | st.integers(0, 64),
)
pdus = st.builds(
    Pdu,
    st.sampled_from((P_DATA, P_DATA, P_DATA, 1, 5, 9)),
    st.just(b""),
    st.lists(values, max_size=4),
    st.none() | st.integers(0, 0xFFFFFFFF),
)


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    played = Campaign(SEED)
    for number in range(INPUTS):
        played.play(number)
    return played


def test_no_spoiled_conversation_is_read_otherwise_or_without_end(campaign: Campaign) -> None:
    assert campaign.failed == []
    assert sum(campaign.ends.values()) == INPUTS


def test_the_wrongs_reach_every_way_to_end(campaign: Campaign) -> None:
    ends = {"stored", "going on", "malformed", "mixed", "left to pynetdicom", "another PDU", "cut"}
    ends |= {"header refused", "header read", "header read quickly", "introduced", "not introduced"}
    assert ends <= set(campaign.ends)


def test_an_input_is_the_same_whenever_it_is_played() -> None:
    first, again = Campaign(SEED), Campaign(SEED)
    numbers = range(INPUTS - 1, INPUTS - 200, -1)
    backwards = {number: first.end_of(number) for number in numbers}
    assert backwards == {number: again.end_of(number) for number in reversed(numbers)}
    assert len(set(backwards.values())) > 5


def test_a_conversation_without_a_wrong_is_read_to_its_end() -> None:
    assert {check(encoded(stream)) for stream in conversations()[:5]} == {"stored"}
    assert check_introduction(association_request()) == "introduced"
    ends = [check_header(data_set(syntax), syntax) for syntax in SYNTAXES]
    assert ends == ["header read quickly"] * 2 + ["header read"] * 2 + ["header read quickly"]


def test_a_request_taken_apart_is_put_together_as_it_was() -> None:
    assert parsed(association_request()).encoded() == association_request()


@pytest.mark.parametrize("uid", [b"\0\0", b"1.2\\3 "])
def test_an_instance_uid_that_is_none_is_read_alike(uid: bytes) -> None:
    """Each of them was found by a campaign: ours is verbatim, pynetdicom's is what it takes for the UID."""
    stream = deepcopy(conversations()[0])
    command = stream[0].values[0]
    before = command.value[: command.value.rindex(struct.pack("<HH", 0, 0x1000))]
    command.value = before + struct.pack("<HHL", 0, 0x1000, len(uid)) + uid
    assert check(encoded(stream)) == "stored"


@settings(deadline=None, max_examples=150)
@given(st.lists(pdus, max_size=5))
def test_values_of_any_kind_in_any_order_are_read_alike(stream: list[Pdu]) -> None:
    assert check(encoded(stream))


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=400), st.sampled_from(SYNTAXES))
def test_a_header_of_any_bytes_is_refused_or_read_alike(noise: bytes, syntax: str) -> None:
    whole = data_set(ExplicitVRLittleEndian)
    for dataset in (noise, whole[:40] + noise, whole + noise):
        assert check_header(dataset, SYNTAXES[SYNTAXES.index(syntax)])


def test_the_quick_way_leaves_alone_what_is_deflated() -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(data_set(ExplicitVRLittleEndian)) + packer.flush()
    assert check_header(packed, DeflatedExplicitVRLittleEndian) == "header read"
