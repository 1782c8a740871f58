"""A few threads for many connections: each is served by one at a time, and none is kept by another's trouble."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from dicom_node.receiver.hands import Hands, Loan

_LONG_S = 10.0
_SHORT_S = 0.05


class Line:
    """Two ends of a connection; what is said at one is heard by whichever hand serves the other."""

    def __init__(self, on_heard: Callable[[bytes], bool] = lambda _: True) -> None:
        self.far, self.near = socket.socketpair()
        self.heard: list[bytes] = []
        self.changed = threading.Condition()
        self.given_back = threading.Event()
        self._on_heard = on_heard
        self.loan = Loan(self.near.fileno(), self._serve, self.given_back.set)

    def close(self) -> None:
        self.far.close()
        self.near.close()

    def says(self, said: bytes) -> None:
        self.far.send(said)

    def hears(self, *said: bytes) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.heard == list(said), _LONG_S)

    def _serve(self) -> bool:
        said = self.near.recv(100)
        with self.changed:
            self.heard.append(said)
            self.changed.notify_all()
        return self._on_heard(said)


@pytest.fixture
def hands() -> Iterator[Hands]:
    hands = Hands(2)
    hands.start()
    yield hands
    hands.stop()


def test_whatever_comes_on_a_connection_that_is_lent_is_served(hands: Hands) -> None:
    with closing(Line()) as line:
        line.says(b"before it is lent")
        hands.lend(line.loan)
        assert line.hears(b"before it is lent")
        line.says(b"after")
        assert line.hears(b"before it is lent", b"after")
        assert hands.take_back(line.loan)
        assert not line.given_back.is_set(), "it was taken, not given"


def test_what_comes_after_a_connection_was_taken_back_is_left_to_its_owner(hands: Hands) -> None:
    with closing(Line()) as line, closing(Line()) as other:
        for one in (line, other):
            hands.lend(one.loan)
        assert hands.take_back(line.loan)
        line.says(b"mine")
        other.says(b"theirs")
        assert other.hears(b"theirs")
        assert line.heard == []
        assert line.near.recv(100) == b"mine"
        hands.take_back(other.loan)


def test_a_connection_can_be_lent_again(hands: Hands) -> None:
    with closing(Line()) as line:
        for said in (b"one", b"two"):
            again = Loan(line.near.fileno(), line.loan.serve, line.loan.give_back)
            hands.lend(again)
            line.says(said)
            assert line.hears(*(b"one", b"two")[: 1 + (said == b"two")])
            assert hands.take_back(again)


def test_one_that_takes_long_keeps_its_hand_and_no_other(hands: Hands) -> None:
    free = threading.Event()
    with closing(Line(lambda _: free.wait(_LONG_S))) as slow, closing(Line()) as quick:
        for one in (slow, quick):
            hands.lend(one.loan)
        slow.says(b"long")
        assert slow.hears(b"long")
        slow.says(b"more of it, for nobody else")
        for number in range(1, 4):
            quick.says(b"short")
            assert quick.hears(*[b"short"] * number)
        assert slow.heard == [b"long"], "two hands served one connection"
        free.set()
        assert slow.hears(b"long", b"more of it, for nobody else")
        for one in (slow, quick):
            hands.take_back(one.loan)


def test_whoever_takes_a_connection_back_waits_until_no_hand_touches_it(hands: Hands) -> None:
    free = threading.Event()
    with closing(Line(lambda _: free.wait(_LONG_S))) as line:
        hands.lend(line.loan)
        line.says(b"long")
        assert line.hears(b"long")
        taker = threading.Thread(target=hands.take_back, args=(line.loan,))
        taker.start()
        taker.join(_SHORT_S)
        assert taker.is_alive(), "it was taken out of a hand"
        free.set()
        taker.join(_LONG_S)
        assert not taker.is_alive()


def test_what_is_not_for_the_hands_is_given_back(hands: Hands) -> None:
    with closing(Line(lambda said: said != b"not for you")) as line:
        hands.lend(line.loan)
        line.says(b"not for you")
        assert line.given_back.wait(_LONG_S)
        line.says(b"nor this")
        assert not hands.take_back(line.loan)
        assert line.loan.error is None
        assert line.heard == [b"not for you"]


def test_an_error_ends_its_own_loan_and_no_hand() -> None:
    hands = Hands(1)
    hands.start()

    def fail(_: bytes) -> bool:
        raise MemoryError("too much")

    with closing(Line(fail)) as bad, closing(Line()) as good:
        for one in (bad, good):
            hands.lend(one.loan)
        bad.says(b"a bomb")
        assert bad.given_back.wait(_LONG_S)
        assert isinstance(bad.loan.error, MemoryError)
        good.says(b"an image")
        assert good.hears(b"an image")
        hands.stop()


def test_a_connection_closed_under_a_hand_ends_its_own_loan_and_no_hand() -> None:
    hands = Hands(1)
    hands.start()
    gone = Line()

    def close(_: bytes) -> bool:
        gone.near.close()
        return True

    gone._on_heard = close
    with closing(gone), closing(Line()) as good:
        for one in (gone, good):
            hands.lend(one.loan)
        gone.says(b"the last")
        assert gone.given_back.wait(_LONG_S)
        assert isinstance(gone.loan.error, OSError)
        good.says(b"an image")
        assert good.hears(b"an image")
        hands.stop()


def test_hands_finish_what_they_are_doing_when_they_are_stopped() -> None:
    free = threading.Event()
    hands = Hands(2)
    hands.start()
    with closing(Line(lambda _: free.wait(_LONG_S))) as line:
        hands.lend(line.loan)
        line.says(b"long")
        assert line.hears(b"long")
        stopping = threading.Thread(target=hands.stop)
        stopping.start()
        stopping.join(_SHORT_S)
        assert stopping.is_alive()
        free.set()
        stopping.join(_LONG_S)
        assert not stopping.is_alive()
