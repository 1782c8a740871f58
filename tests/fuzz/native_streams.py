"""C-STORE requests as no library would write them, and yet right; and then wronged."""

import random
import struct
from collections.abc import Iterator

from pydicom.uid import ExplicitVRLittleEndian

from dicom_node.receiver.store_command import request_command
from dicom_node.receiver.storing import OUR_MODEL_NAME
from tests.fuzz.conversations import INSTANCE, MR_IMAGE, STUDY, conversations, data_set
from tests.fuzz.elements import UNDEFINED, Element, Elements
from tests.fuzz.elements import encoded as encoded_explicit
from tests.fuzz.image_wrongs import WRONGS
from tests.fuzz.mutations import spoiled
from tests.fuzz.streams import P_DATA, Pdu, Pdv, Stream, encoded

EXPLICIT, IMPLICIT = 3, 5
"""Presentation contexts, as in the conversations."""

Rng = random.Random

_SOP_CLASS, _SOP_INSTANCE, _MODEL, _STUDY, _PIXELS = (
    0x00080016,
    0x00080018,
    0x00081090,
    0x0020000D,
    0x7FE00010,
)
_KINDS = (
    b"CS", b"DS", b"IS", b"LO", b"UI", b"SH", b"DA", b"TM", b"PN", b"US", b"AE", b"AS", b"AT", b"DT", b"FD", b"FL", b"LT",
    b"SL", b"SS", b"ST", b"UL", b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV",
)  # fmt: skip
_TAGS = (
    0x00080005, 0x00080008, 0x00080017, 0x00080019, 0x00080020, 0x00080060, 0x00080070, 0x00081030, 0x0008103E,
    0x00081091, 0x00081140, 0x00090010, 0x00091001, 0x00091002, 0x00100010, 0x00100020, 0x00180050, 0x00180081,
    0x00190010, 0x0019100B, 0x0020000E, 0x00200010, 0x00200013, 0x00200032, 0x00280010, 0x00280011, 0x00280100,
    0x00291010, 0x51091001, 0x7FE00001,
)  # fmt: skip
_UNUSUAL_UIDS = (b"1.2 3", b"1.2\x7f", b"\xe9\xff", b"1.2\n", b"9" * 256, b"9" * 257, b"", b"\0", b"x")
_ODDITIES = 0.01
_LARGEST_PIXELS = (0, 64, 64, 64, 400, 400, 4000, 30_000)


def native_stream(rng: Rng) -> bytes:
    """One to some requests in the study of the conversations, every other time with wrongs, as bytes."""
    kind = rng.random()
    if kind < 0.1:
        return spoiled(conversations(), rng)
    if kind < 0.104:
        return _many(rng)
    stream = [pdu for _ in range(rng.choice((1, 1, 2, 3, 3, 7))) for pdu in _message(rng)]
    return encoded(stream) if kind < 0.55 else spoiled([stream], rng)


def _many(rng: Rng) -> bytes:
    """More than is told at once, and nothing wrong with any of them."""
    uids = [f"{INSTANCE}.{number}" for number in range(rng.randrange(60, 140))]
    whole = {uid: data_set(ExplicitVRLittleEndian, uid) for uid in uids}
    commands = {uid: request_command(number, MR_IMAGE, uid) for number, uid in enumerate(uids)}
    parts = [[Pdv(EXPLICIT, 3, commands[uid]), Pdv(EXPLICIT, 2, whole[uid])] for uid in uids]
    return encoded([Pdu(P_DATA, parts=one) for one in parts])


def _message(rng: Rng) -> Stream:
    implicit, odd = rng.random() < 0.4, rng.random() < 0.1
    instance = f"{INSTANCE}.{rng.randrange(1 << rng.choice((1, 24, 160)))}".encode()[:64]
    if rng.random() < _ODDITIES:
        instance = rng.choice(_UNUSUAL_UIDS)
    elements = _elements(rng, instance)
    if odd:
        rng.choice(WRONGS)(elements, rng)
    whole = _encoded_implicit(elements) if implicit else encoded_explicit(elements)
    context_id = IMPLICIT if implicit else EXPLICIT
    return list(_pdus(rng, context_id, _command(rng, instance), whole))


def _elements(rng: Rng, instance: bytes) -> Elements:
    study = STUDY.encode() if rng.random() > _ODDITIES else rng.choice((b"1.2.3", STUDY.encode()[:-1]))
    elements = [
        Element(_SOP_CLASS, b"UI", _padded(rng, MR_IMAGE.encode())),
        Element(_SOP_INSTANCE, b"UI", _padded(rng, instance)),
        Element(_STUDY, b"UI", _padded(rng, study)),
    ]
    for tag in rng.sample(_TAGS, rng.randrange(len(_TAGS))):
        elements.append(
            Element(tag, rng.choice(_KINDS), rng.randbytes(rng.choice((0, 1, 2, 8, 17, 65, 300))))
        )
    if rng.random() < 0.2:
        models = (b"Scanner", OUR_MODEL_NAME.encode(), b"") if rng.random() < 0.3 else (b"Scanner",)
        elements.append(Element(_MODEL, b"LO", _padded(rng, rng.choice(models))))
    if rng.random() < 0.85:
        pixels = rng.randbytes(rng.randrange(rng.choice(_LARGEST_PIXELS) + 1))
        length = rng.choice((UNDEFINED, len(pixels) + 1)) if rng.random() < _ODDITIES else None
        elements.append(Element(_PIXELS, rng.choice((b"OW", b"OW", b"OB", b"UN", b"US")), pixels, length))
        if rng.random() < 0.1:
            elements.append(Element(0xFFFCFFFC, b"OB", rng.randbytes(9)))
    return sorted(elements, key=lambda element: element.tag)


def _padded(rng: Rng, value: bytes) -> bytes:
    """A value's padding is not part of it; most senders add one byte of it, or none."""
    if rng.random() < 0.9:
        return value
    return rng.choice((b"", b" ", b"\0\0")) + value + rng.choice((b"\0", b" ", b"\0\0\0", b" \0"))


def _encoded_implicit(elements: Elements) -> bytes:
    return b"".join(_implicit(element) for element in elements)


def _implicit(element: Element) -> bytes:
    value = element.value + b"\0" * (len(element.value) % 2)
    length = len(value) if element.length is None else element.length
    return struct.pack("<HHL", element.tag >> 16, element.tag & 0xFFFF, length & 0xFFFFFFFF) + value


def _command(rng: Rng, instance: bytes) -> bytes:
    """As we write it, or with other numbers, other padding, and elements of which we have no need."""
    number = rng.randrange(1 << 16)
    if rng.random() < 0.5:
        return request_command(number, MR_IMAGE, instance.decode("ascii", "replace").replace("�", "x"))
    values = {
        0x0002: _padded(rng, MR_IMAGE.encode()),
        0x0100: b"\1\0",
        0x0110: struct.pack("<H", number),
        0x0800: rng.choice((b"\0\0", b"\2\1", b"\1\0")),
        0x1000: _padded(rng, instance),
    }
    values |= {
        rng.randrange(0x1001, 0x2000): rng.randbytes(3) for _ in range(rng.choice((0, 1, 2, 26, 27, 28)))
    }
    names = list(values)
    if rng.random() < 0.3:
        rng.shuffle(names)
    return b"".join(struct.pack("<HHL", 0, name, len(values[name])) + values[name] for name in names)


def _pdus(rng: Rng, context_id: int, command: bytes, whole: bytes) -> Iterator[Pdu]:
    """In fragments of one length, or of any; in PDUs of one fragment, or of several."""
    parts = [Pdv(context_id, 3, command)]
    for piece in _pieces(rng, whole):
        parts.append(Pdv(context_id, 0, piece))
    if len(parts) > 1:
        parts[-1].control = 2
    most = rng.choice((1, 1, 2, 5, 1000))
    while parts:
        number = rng.randrange(1, most + 1)
        yield Pdu(P_DATA, parts=parts[:number])
        parts = parts[number:]


def _pieces(rng: Rng, whole: bytes) -> Iterator[bytes]:
    room = rng.choice((64, 1000, 16_378, 16_378, 16_378, 1 << 18, len(whole) // 63 + 1, len(whole) // 64 + 1))
    head = 0
    if room < len(whole) and rng.random() < 0.8:
        head = rng.randrange(min(len(whole), max(room, whole.rfind(b"\xe0\x7f\x10\0") + 12)) + 1)
        head = max(head, whole.rfind(b"\xe0\x7f\x10\0") + rng.choice((12, 12, 12, 8, 11, 13)))
    if head:
        yield whole[:head]
    for begin in range(head, len(whole), room):
        if rng.random() < 0.03:
            yield b""
        yield whole[begin : begin + room]
    if rng.random() < 0.1:
        yield b""
