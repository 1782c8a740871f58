"""Small wrongs done to good conversations, chosen by a seeded generator: the same seed does the same wrongs."""

import random
import struct
from collections.abc import Callable, Sequence
from copy import deepcopy

from tests.fuzz.streams import P_DATA, Item, Pdu, Pdv, Stream, encoded

LENGTHS = (0, 1, 2, 3, 5, 6, 7, 255, 0x7FFF, 0xFFFF, 1 << 20, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_ELEMENT = struct.Struct("<HHL")
_MOST_WRONGS = 3
_LONGEST_INSERT = 64

Rng = random.Random


def spoiled(good: Sequence[Stream], rng: Rng) -> bytes:
    """A conversation with none to `_MOST_WRONGS` wrongs in it, as bytes."""
    stream = deepcopy(rng.choice(good))
    for _ in range(rng.randrange(_MOST_WRONGS + 1)):
        rng.choice(_WRONGS)(stream, rng, good)
    whole = encoded(stream)
    return spoiled_bytes(whole, rng) if rng.random() < 0.2 else whole


def spoiled_bytes(whole: bytes, rng: Rng) -> bytes:
    """Bits turned, bytes put in or taken out, or the end cut off, wherever."""
    changed = bytearray(whole)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(5):
            case 0 if at < len(changed):
                changed[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(changed):
                changed[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                changed[at:at] = rng.randbytes(rng.randrange(_LONGEST_INSERT))
            case 3:
                del changed[at : at + rng.randrange(_LONGEST_INSERT)]
            case _:
                del changed[at:]
    return bytes(changed)


def spoil_association(request: Pdu, rng: Rng) -> None:
    """One to four wrongs in an A-ASSOCIATE-RQ."""
    for _ in range(rng.randrange(1, _MOST_WRONGS + 1)):
        rng.choice(_ASSOCIATION_WRONGS)(request, rng)


def _length(rng: Rng, truth: int) -> int:
    return rng.choice((*LENGTHS, truth - 1, truth + 1, truth * 2, rng.randrange(1 << 16)))


def _lose_a_pdu(stream: Stream, rng: Rng, _: Sequence[Stream]) -> None:
    if len(stream) > 1:
        del stream[rng.randrange(len(stream))]


def _repeat_a_pdu(stream: Stream, rng: Rng, _: Sequence[Stream]) -> None:
    if stream:
        stream.insert(rng.randrange(len(stream) + 1), deepcopy(rng.choice(stream)))


def _swap_pdus(stream: Stream, rng: Rng, _: Sequence[Stream]) -> None:
    one, other = rng.randrange(len(stream)), rng.randrange(len(stream))
    stream[one], stream[other] = stream[other], stream[one]


def _mix_in_another(stream: Stream, rng: Rng, good: Sequence[Stream]) -> None:
    at = rng.randrange(len(stream) + 1)
    other = deepcopy(rng.choice(good))
    stream[at:at] = other[rng.randrange(len(other)) :]


def _lie_about_a_pdu(stream: Stream, rng: Rng, _: Sequence[Stream]) -> None:
    pdu = rng.choice(stream)
    pdu.length = _length(rng, len(pdu.encoded()) - 6)


def _call_a_pdu_something_else(stream: Stream, rng: Rng, _: Sequence[Stream]) -> None:
    rng.choice(stream).kind = rng.choice((*range(9), rng.randrange(256)))


def _join_pdus(stream: Stream, rng: Rng, _: Sequence[Stream]) -> None:
    values = [deepcopy(value) for pdu in stream for value in pdu.values]
    if values:
        first = rng.randrange(len(values))
        stream[:] = [Pdu(P_DATA, parts=values[:first]), Pdu(P_DATA, parts=values[first:])]


def _on_a_value(change: Callable[[list[Pdv], int, Rng], None]) -> "_Wrong":
    def wrong(stream: Stream, rng: Rng, _: Sequence[Stream]) -> None:
        pdus = [pdu for pdu in stream if pdu.values]
        if pdus:
            values: list[Pdv] = rng.choice(pdus).parts  # type: ignore[assignment]
            change(values, rng.randrange(len(values)), rng)

    return wrong


def _lie_about_a_value(values: list[Pdv], at: int, rng: Rng) -> None:
    values[at].length = _length(rng, len(values[at].value) + 2)


def _another_context(values: list[Pdv], at: int, rng: Rng) -> None:
    values[at].context_id = rng.choice((0, 1, 2, 3, 5, 13, 255, rng.randrange(256)))


def _another_control(values: list[Pdv], at: int, rng: Rng) -> None:
    values[at].control = rng.choice((0, 1, 2, 3, 4, 0x83, 0xFF))


def _repeat_or_lose_a_value(values: list[Pdv], at: int, rng: Rng) -> None:
    if rng.random() < 0.5:
        del values[at]
    else:
        values.insert(at, deepcopy(values[at]))


def _an_empty_value(values: list[Pdv], at: int, rng: Rng) -> None:
    values.insert(at, Pdv(values[at].context_id, rng.randrange(4), b"", rng.choice((None, 0, 1))))


def _cut_a_value_up(values: list[Pdv], at: int, rng: Rng) -> None:
    whole = values[at]
    middle = rng.randrange(len(whole.value) + 1)
    values[at : at + 1] = [
        Pdv(whole.context_id, whole.control & ~2, whole.value[:middle]),
        Pdv(whole.context_id, whole.control, whole.value[middle:]),
    ]


def _spoil_a_value(values: list[Pdv], at: int, rng: Rng) -> None:
    values[at].value = spoiled_bytes(values[at].value, rng)


def _spoil_a_command(values: list[Pdv], at: int, rng: Rng) -> None:
    """Elements of a command set lost, repeated, moved, of another length or value (PS3.7 6.3.1)."""
    if not values[at].control & 1:
        return
    elements = _elements(values[at].value)
    if not elements:
        return
    which = rng.randrange(len(elements))
    group, number, length, value = elements[which]
    match rng.randrange(6):
        case 0:
            del elements[which]
        case 1:
            elements.insert(rng.randrange(len(elements)), elements[which])
        case 2:
            rng.shuffle(elements)
        case 3:
            elements[which] = group, number, _length(rng, length) & 0xFFFFFFFF, value
        case 4:
            value = rng.choice((b"", b"\1\1", b"\xff\xff", rng.randbytes(rng.randrange(80))))
            elements[which] = group, number, len(value), value
        case _:
            foreign = rng.choice((0, 0, 2, 8, 0x7FE0)), rng.choice((0x0002, 0x0100, 0x0800, 0x1000, 0xFFFF))
            elements.insert(which, (*foreign, len(value), value))
    values[at].value = b"".join(_ELEMENT.pack(*one[:3]) + one[3] for one in elements)


def _elements(command: bytes) -> list[tuple[int, int, int, bytes]]:
    found, at = [], 0
    while at + _ELEMENT.size <= len(command):
        group, number, length = _ELEMENT.unpack_from(command, at)
        at += _ELEMENT.size
        found.append((group, number, length, command[at : at + length]))
        at += length
    return found


_Wrong = Callable[[Stream, Rng, Sequence[Stream]], None]
_WRONGS: tuple[_Wrong, ...] = (
    _lose_a_pdu,
    _repeat_a_pdu,
    _swap_pdus,
    _mix_in_another,
    _lie_about_a_pdu,
    _call_a_pdu_something_else,
    _join_pdus,
    *(
        _on_a_value(change)
        for change in (
            _lie_about_a_value,
            _another_context,
            _another_control,
            _repeat_or_lose_a_value,
            _an_empty_value,
            _cut_a_value_up,
            _spoil_a_value,
            _spoil_a_command,
            _spoil_a_command,
        )
    ),
)


def _on_items(request: Pdu, rng: Rng) -> tuple[list[Item], int]:
    """Some item, as the list it is in and its place there."""
    outer: list[Item] = request.parts  # type: ignore[assignment]
    lists = [outer, *(item.inner for item in request.items if item.inner)]
    chosen = rng.choice([one for one in lists if one] or [[Item(0x10)]])
    return chosen, rng.randrange(len(chosen))


def _lose_an_item(request: Pdu, rng: Rng) -> None:
    items, at = _on_items(request, rng)
    del items[at]


def _repeat_an_item(request: Pdu, rng: Rng) -> None:
    items, at = _on_items(request, rng)
    items[at:at] = [deepcopy(items[at]) for _ in range(rng.choice((1, 2, 200)))]


def _lie_about_an_item(request: Pdu, rng: Rng) -> None:
    items, at = _on_items(request, rng)
    items[at].length = _length(rng, len(items[at].encoded()) - 4)


def _call_an_item_something_else(request: Pdu, rng: Rng) -> None:
    items, at = _on_items(request, rng)
    items[at].kind = rng.choice((0x10, 0x20, 0x30, 0x40, 0x50, *range(0x51, 0x5A), rng.randrange(256)))


def _spoil_an_item(request: Pdu, rng: Rng) -> None:
    items, at = _on_items(request, rng)
    items[at].head = spoiled_bytes(items[at].head, rng) if items[at].head else rng.randbytes(9)


def _spoil_the_titles(request: Pdu, rng: Rng) -> None:
    request.head = spoiled_bytes(request.head, rng)


def _lie_about_the_request(request: Pdu, rng: Rng) -> None:
    request.length = _length(rng, len(request.encoded()) - 6)


_ASSOCIATION_WRONGS = (
    _lose_an_item,
    _repeat_an_item,
    _lie_about_an_item,
    _call_an_item_something_else,
    _spoil_an_item,
    _spoil_the_titles,
    _lie_about_the_request,
)
