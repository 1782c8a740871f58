"""What can be wrong with an image, done to its elements by a seeded generator."""

import random
import struct
from collections.abc import Callable

from tests.fuzz.elements import END_OF_SEQUENCE, UNDEFINED, Element, Elements, nested
from tests.fuzz.mutations import LENGTHS, spoiled_bytes

Rng = random.Random
Wrong = Callable[[Elements, Rng], None]

ROWS, COLUMNS, FRAMES, PIXELS = 0x00280010, 0x00280011, 0x00280008, 0x7FE00010
CHARSET, STUDY, INSTANCE, SOP_CLASS = 0x00080005, 0x0020000D, 0x00080018, 0x00080016
_IDENTITY = (SOP_CLASS, INSTANCE, STUDY)
_NUMBERS = (
    b"NaN", b"-NaN", b"Inf", b"-Inf", b"Infinity", b"1e400", b"-1e400", b"1e-400", b"-0", b"", b" ", b"1,5",
    b"0x10", b"1_000", b"9" * 300, b"1\\2", b"1\\\\2", b"\\", b"--1", b"\xff\xfe", b"1e", b"\0\0", b"0", b"-1",
)  # fmt: skip
_SHORTS = (0, 1, 2, 3, 7, 8, 12, 15, 16, 17, 32, 64, 255, 0x7FFF, 0x8000, 0xFFFF)
_UIDS = (
    b"../../x", b"/etc/passwd", b"1." * 100, b"1" * 300, b"", b"\0", b"1.2\\3.4", b"1.2.3\n4", b"0", b".",
    b"\xe9\xff", b"1.2.840.10008.5.1.4.1.1.4", b"1..2", b"00.01", b"'; DROP TABLE studies; --",
)  # fmt: skip
_TEXTS = (
    b"", b"\x1b$B;3ED^B@O:\x1b(B=\x1b$B", b"\x1b", b"\x1b$", b"\xff" * 20, b"=" * 40, b"^" * 40, b"x" * 60_000,
    b"\\" * 500, b"\0" * 20, b"\r\n\t\x7f", "\u202e\U0001f480\ud7ff".encode(), b"<script>&amp;", b"{0}%s%n${x}",
    b"99999999", b"20230231", b"00000000", b"-00010101", b"2561", b"235960.999999", b"999D", b"-01Y",
)  # fmt: skip
_CHARSETS = (
    b"ISO_IR 192", b"GB18030", b"GBK", b"ISO 2022 IR 87", b"\\ISO 2022 IR 87", b"\\ISO 2022 IR 149\\ISO 2022 IR 58",
    b"ISO_IR 13", b"utf-8", b"idna", b"zlib_codec", b"rot13", b"unicode_escape", b"\\" * 40, b"\xff", b"ISO_IR 999",
)  # fmt: skip
_KINDS = (
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"OB", b"OW", b"PN", b"SH", b"SL",
    b"SQ", b"SS", b"ST", b"TM", b"UC", b"UI", b"UL", b"UN", b"UR", b"US", b"UT", b"UV", b"\0\0", b"ZZ", b"us",
)  # fmt: skip
_PHOTOMETRY = (b"MONOCHROME1", b"PALETTE COLOR", b"RGB", b"YBR_FULL_422", b"YBR_RCT", b"", b"nonsense")


def _some(elements: Elements, rng: Rng, spared: tuple[int, ...] = _IDENTITY) -> Element:
    """One element; those that say which image it is are mostly spared, or nothing would come in."""
    chosen = rng.choice(elements)
    while chosen.tag in spared and rng.random() < 0.95:
        chosen = rng.choice(elements)
    return chosen


def _set(elements: Elements, tag: int, vr: bytes, value: bytes) -> None:
    found = next((element for element in elements if element.tag == tag), None)
    if found is None:
        elements.append(Element(tag, vr, value))
        elements.sort(key=lambda element: element.tag)
    else:
        found.value, found.length = value, None


def _lose(elements: Elements, rng: Rng) -> None:
    elements.remove(_some(elements, rng))


def _repeat(elements: Elements, rng: Rng) -> None:
    elements.insert(rng.randrange(len(elements)), _some(elements, rng))


def _shuffle(elements: Elements, rng: Rng) -> None:
    one, other = rng.randrange(len(elements)), rng.randrange(len(elements))
    elements[one], elements[other] = elements[other], elements[one]


def _another_kind(elements: Elements, rng: Rng) -> None:
    _some(elements, rng).vr = rng.choice(_KINDS)


def _lie(elements: Elements, rng: Rng) -> None:
    chosen = _some(elements, rng)
    chosen.length = rng.choice((*LENGTHS, len(chosen.value) - 1, len(chosen.value) + 2))


def _a_number(elements: Elements, rng: Rng) -> None:
    numeric = [element for element in elements if element.vr in (b"DS", b"IS")]
    if numeric:
        chosen = rng.choice(numeric)
        parts = chosen.value.rstrip(b" \0").split(b"\\")
        parts[rng.randrange(len(parts))] = rng.choice(_NUMBERS)
        chosen.value = b"\\".join(parts)


def _a_short(elements: Elements, rng: Rng) -> None:
    shorts = [element for element in elements if element.vr == b"US"]
    if shorts:
        rng.choice(shorts).value = struct.pack("<H", rng.choice(_SHORTS)) * rng.choice((1, 1, 1, 2, 0))


def _a_double(elements: Elements, rng: Rng) -> None:
    doubles = [element for element in elements if element.vr in (b"FD", b"FL")]
    if doubles:
        chosen = rng.choice(doubles)
        number = rng.choice((float("nan"), float("inf"), -float("inf"), 0.0, -1.0, 3e38, 1e-40))
        chosen.value = struct.pack("<d" if chosen.vr == b"FD" else "<f", number)


def _a_text(elements: Elements, rng: Rng) -> None:
    texts = [element for element in elements if element.vr not in (b"OW", b"OB", b"SQ", b"UI", b"US", b"DS")]
    rng.choice(texts or elements).value = rng.choice(_TEXTS)


def _a_uid(elements: Elements, rng: Rng) -> None:
    uids = [element for element in elements if element.vr == b"UI" and element.tag != SOP_CLASS]
    if uids:
        rng.choice(uids).value = rng.choice(_UIDS)


def _a_charset(elements: Elements, rng: Rng) -> None:
    _set(elements, CHARSET, b"CS", rng.choice(_CHARSETS))
    _set(elements, 0x00100010, b"PN", rng.choice(_TEXTS))


def _a_size(elements: Elements, rng: Rng) -> None:
    tag = rng.choice((ROWS, COLUMNS, 0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x00280002))
    _set(elements, tag, b"US", struct.pack("<H", rng.choice(_SHORTS)))


def _frames(elements: Elements, rng: Rng) -> None:
    _set(elements, FRAMES, b"IS", rng.choice((b"0", b"-1", b"2", b"2147483647", b"99999999999", b"1e9", b"")))


def _photometry(elements: Elements, rng: Rng) -> None:
    _set(elements, 0x00280004, b"CS", rng.choice(_PHOTOMETRY))


def _pixels(elements: Elements, rng: Rng) -> None:
    pixels = next((element for element in elements if element.tag == PIXELS), None)
    if pixels is None:
        return
    match rng.randrange(6):
        case 0:
            pixels.value = pixels.value[: rng.randrange(len(pixels.value) + 1)]
        case 1:
            pixels.value += rng.randbytes(rng.randrange(1, 4000))
        case 2:
            elements.remove(pixels)
        case 3:
            pixels.vr = rng.choice((b"OB", b"OW", b"UN", b"OF"))
        case 4:
            pixels.value, pixels.length = spoiled_bytes(pixels.value, rng), pixels.length
        case _:
            pixels.length = rng.choice((UNDEFINED, 0, 0x7FFFFFFE, len(pixels.value) * 2))


def _deeper(elements: Elements, rng: Rng) -> None:
    elements.insert(2, nested(rng.choice((2, 30, 200, 900, 2000))))
    elements.sort(key=lambda element: element.tag)


def _a_stray(elements: Elements, rng: Rng) -> None:
    tag = rng.choice(
        (0x00080000, 0x0000FFFF, 0x00020010, 0x00090010, 0x00091001, 0xFFFEE000, 0x7FE10010, 0xFFFFFFFF)
    )
    kind = rng.choice((b"UL", b"LO", b"UN", b"SQ", b"OB"))
    stray = Element(tag, kind, rng.choice((b"", b"\0" * 4, rng.randbytes(40), END_OF_SEQUENCE)))
    elements.insert(rng.randrange(len(elements) + 1), stray)


def _inside_a_sequence(elements: Elements, rng: Rng) -> None:
    sequences = [element for element in elements if element.vr == b"SQ"]
    if sequences:
        chosen = rng.choice(sequences)
        chosen.value = spoiled_bytes(chosen.value, rng)


def _inside_a_value(elements: Elements, rng: Rng) -> None:
    chosen = _some(elements, rng)
    if chosen.tag != PIXELS:
        chosen.value = spoiled_bytes(chosen.value, rng)


WRONGS: tuple[Wrong, ...] = (
    _lose,
    _repeat,
    _shuffle,
    _another_kind,
    _lie,
    _a_number,
    _a_number,
    _a_short,
    _a_double,
    _a_text,
    _a_uid,
    _a_charset,
    _a_size,
    _frames,
    _photometry,
    _pixels,
    _pixels,
    _deeper,
    _a_stray,
    _inside_a_sequence,
    _inside_a_value,
)
