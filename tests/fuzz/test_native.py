"""The way in C does what the way in Python would do, or leaves it; hundreds of thousands on demand: `make fuzz`."""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dicom_node.receiver.framing import command_pdus
from dicom_node.receiver.store_command import request_command
from tests.fuzz.conversations import INSTANCE, MR_IMAGE, SYNTAXES, data_set
from tests.fuzz.native import Campaign, built
from tests.fuzz.native_bounds import played, read_alone
from tests.fuzz.native_oracle import MOST_FRAGMENTS
from tests.fuzz.native_play import Conversation, Player, archive_folder
from tests.fuzz.native_streams import EXPLICIT
from tests.fuzz.streams import P_DATA, Pdu, Pdv, encoded
from tests.peers.presence import missing

SEED, INPUTS, SANITIZED = 20, 2000, 2000


@pytest.fixture(scope="module")
def module() -> Any:
    try:
        return built()
    except ImportError:
        return missing("the module in C is not built: make native")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with archive_folder() as made:
        yield made


@pytest.fixture(scope="module")
def campaign(module: Any, folder: Path) -> Campaign:
    with closing(Player(module, folder)) as player:
        played = Campaign(SEED, player)
        for number in range(INPUTS):
            played.play(number)
    return played


def test_nothing_is_stored_answered_or_left_otherwise(campaign: Campaign) -> None:
    assert campaign.failed == []


def test_much_is_taken_and_the_wrongs_reach_every_way_to_end(campaign: Campaign) -> None:
    taken = {"taken, all of it", "taken, and the last is not whole", "left after some"}
    assert {*taken, "left at once", "left: it is there already", "not whole"} <= set(campaign.ends)
    assert sum(campaign.ends[end] for end in taken) > INPUTS / 3


def test_an_input_is_the_same_whenever_it_is_played(module: Any, folder: Path) -> None:
    with closing(Player(module, folder)) as one, closing(Player(module, folder)) as other:
        first, again = Campaign(SEED, one), Campaign(SEED, other)
        backwards = {number: first.end_of(number) for number in range(99, -1, -1)}
        assert backwards == {number: again.end_of(number) for number in range(100)}


@pytest.mark.parametrize("empty", [0, MOST_FRAGMENTS - 1, MOST_FRAGMENTS])
def test_a_message_of_empty_fragments_is_not_read_again_and_again(module: Any, empty: int) -> None:
    """Each time more of it came, it was read from its beginning, however many fragments of nothing it had."""
    begun = command_pdus(EXPLICIT, request_command(1, MR_IMAGE, INSTANCE), 0)
    begun += encoded([Pdu(P_DATA, parts=[Pdv(EXPLICIT, 0, b"")])] * empty)
    last = encoded([Pdu(P_DATA, parts=[Pdv(EXPLICIT, 2, data_set(SYNTAXES[0]))])])
    with ExitStack() as open_ones:
        folder = open_ones.enter_context(archive_folder())
        conversation = Conversation(module, folder, 1 << 20, None, Random(SEED), open_ones)
        conversation.hold(begun + last)
    few = empty < MOST_FRAGMENTS
    assert (len(conversation.records), conversation.left_over) == (few, b"" if few else begun + last)


def test_what_had_come_before_is_told_before_the_peer_says_more(module: Any) -> None:
    message = command_pdus(EXPLICIT, request_command(1, MR_IMAGE, INSTANCE), 0)
    message += encoded([Pdu(P_DATA, parts=[Pdv(EXPLICIT, 2, data_set(SYNTAXES[0]))])])
    with ExitStack() as open_ones:
        folder = open_ones.enter_context(archive_folder())
        lane = Conversation(module, folder, 1 << 20, None, Random(SEED), open_ones).lane
        assert lane.put(message)
        begun = time.monotonic()
        why, _, records = lane.serve(20_000, 10)
    assert (why, len(records)) == (module.PAUSE, 1)
    assert time.monotonic() - begun < 10


def test_what_is_stored_is_told_even_if_the_peer_never_pauses(module: Any) -> None:
    messages = b"".join(
        encoded([Pdu(P_DATA, parts=[Pdv(EXPLICIT, 3, command), Pdv(EXPLICIT, 2, image)])])
        for command, image in (
            (request_command(number, MR_IMAGE, uid), data_set(SYNTAXES[0], uid, pixels=3200))
            for number, uid in enumerate(f"{INSTANCE}.{number}" for number in range(50))
        )
    )
    with ExitStack() as open_ones:
        folder = open_ones.enter_context(archive_folder())
        conversation = Conversation(module, folder, 4000, None, Random(SEED), open_ones)
        conversation.peer.sendall(messages)  # more than is received at a time
        why, _, first = conversation.lane.serve(1000, -1)
        _, _, second = conversation.lane.serve(1000, -1)
    assert why == module.PAUSE
    assert 0 < len(first) < 50 == len(first + second)


def test_no_sanitizer_has_anything_to_say(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        missing("gcc is not installed: run `make peers`")
    assert read_alone(tmp_path, range(SANITIZED), SEED) == 0
    assert played(tmp_path, 60, SEED) == 0
