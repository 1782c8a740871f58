"""Lines to the node wait for each other only where nobody waits for them."""

import json
import os
import time
from collections.abc import Callable, Iterator

import pytest

from dicom_node.receiver.outbox import Outbox

TRIES = 20
WAIT_S = 10.0


@pytest.fixture
def ends() -> Iterator[tuple[Outbox, Callable[[], list[str]]]]:
    read, write = os.pipe()
    outbox = Outbox(write)
    yield outbox, lambda: [json.loads(line)["event"] for line in os.read(read, 2**16).splitlines()]
    outbox.close(WAIT_S)
    os.close(write)
    os.close(read)


def test_lines_on_stored_images_go_together(ends: tuple[Outbox, Callable[[], list[str]]]) -> None:
    outbox, read = ends
    largest = 0
    for _ in range(TRIES):  # a busy machine may part them now and then
        for number in range(3):
            outbox.put("stored", path=str(number))
        heard = read()
        largest = max(largest, len(heard))
        while len(heard) < 3:
            heard += read()
    assert largest == 3


def test_the_end_of_an_association_goes_at_once_and_takes_them_along(
    ends: tuple[Outbox, Callable[[], list[str]]],
) -> None:
    outbox, read = ends
    took_s = WAIT_S
    for _ in range(TRIES):
        begun = time.perf_counter()
        outbox.put("stored", path="one")
        outbox.put("closed", association="1")
        heard = read()
        while len(heard) < 2:
            heard += read()
        took_s = min(took_s, time.perf_counter() - begun)
        assert heard == ["stored", "closed"]
    assert took_s < 0.02
