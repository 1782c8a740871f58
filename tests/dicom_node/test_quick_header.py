"""The quick reading of a header says what pydicom's says, or nothing."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
)

from dicom_node.errors import NotUnderstood
from dicom_node.receiver.header import Header, read_header
from dicom_node.receiver.quick_header import quick_header
from tests.dicom_node.receiving import MR_IMAGE, Sent, data_set_of, element
from tests.dicom_node.test_receiver_header import encapsulated, nested

PLENTY = 100_000_000
WHOLE = Sent(
    extra=element(8, 0x0060, b"CS", b"MR")
    + element(8, 0x1090, b"LO", b"SIGNA")
    + element(8, 0x1140, b"SQ", b"")
    + element(0x0009, 0x0010, b"LO", b"PRIVATE")
    + element(0x0009, 0x1002, b"UN", bytes(12))
).dataset
IMPLICIT = b"".join(
    tag.to_bytes(2, "little") + number.to_bytes(2, "little") + len(value).to_bytes(4, "little") + value
    for tag, number, value in (
        (0x0008, 0x0016, MR_IMAGE.encode() + b"\0"),
        (0x0008, 0x0018, b"1.2.3.4\0"),
        (0x0020, 0x000D, b"1.2.3\0"),
        (0x7FE0, 0x0010, bytes(20)),
    )
)
EXPLICIT = (ExplicitVRLittleEndian, JPEGLSLossless)


def slowly(encoded: bytes, syntax: UID) -> Header | None:
    """What pydicom finds; None if it refuses, in whatever way."""
    try:
        return read_header(BytesIO(encoded), syntax, PLENTY)
    except Exception:  # noqa: BLE001 - what it raises is not what is tested here
        return None


def quickly(encoded: bytes, syntax: UID = ExplicitVRLittleEndian) -> Header | None:
    return quick_header(memoryview(encoded), syntax)


def test_plain_data_sets_are_read_quickly() -> None:
    assert quickly(WHOLE) == Header("1.2.3", "1.2.3.4", MR_IMAGE, "SIGNA")
    assert quickly(IMPLICIT, ImplicitVRLittleEndian) == Header("1.2.3", "1.2.3.4", MR_IMAGE, "")
    assert quickly(encapsulated(b"one", b"two"), JPEGLSLossless) is not None


@pytest.mark.data
def test_real_images_are_read_quickly_and_as_pydicom_reads_them(
    sunnybrook: Callable[[str], list[Path]],
) -> None:
    for path in sunnybrook("SC-HF-I-1")[:40]:
        encoded = data_set_of(path)
        quick = quickly(encoded)
        assert quick is not None
        assert quick == slowly(encoded, ExplicitVRLittleEndian)


@pytest.mark.parametrize(
    ("encoded", "syntax"),
    [
        (WHOLE[:-1], ExplicitVRLittleEndian),
        (WHOLE[:-70], ExplicitVRLittleEndian),
        (WHOLE[:11], ExplicitVRLittleEndian),
        (Sent(extra=nested(2)).dataset, ExplicitVRLittleEndian),
        (Sent(study="").dataset, ExplicitVRLittleEndian),
        (Sent(instance="1" * 300).dataset, ExplicitVRLittleEndian),
        (Sent(extra=element(8, 0x0018, b"UI", b"1.9")).dataset, ExplicitVRLittleEndian),
        (Sent(extra=element(8, 0x0060, b"??", b"MR")).dataset, ExplicitVRLittleEndian),
        (WHOLE + WHOLE[-76:], ExplicitVRLittleEndian),
        (encapsulated(b"one")[:-1], JPEGLSLossless),
        (encapsulated(b"one", end=b"") + bytes(8), JPEGLSLossless),
        (WHOLE, ImplicitVRLittleEndian),
        (IMPLICIT, ExplicitVRLittleEndian),
        (IMPLICIT[:-1], ImplicitVRLittleEndian),
        (WHOLE, ExplicitVRBigEndian),
        (WHOLE, DeflatedExplicitVRLittleEndian),
        (b"", ExplicitVRLittleEndian),
    ],
)
def test_whatever_is_not_plain_is_left_to_pydicom(encoded: bytes, syntax: UID) -> None:
    if encoded == WHOLE + WHOLE[-76:]:
        assert quickly(encoded, syntax) == slowly(encoded, syntax)  # what lies behind the pixels is nobody's
    else:
        assert quickly(encoded, syntax) is None


def test_a_data_set_without_pixels_must_end_with_an_element() -> None:
    bare = WHOLE[:-76]
    assert quickly(bare) == slowly(bare, ExplicitVRLittleEndian) is not None
    assert quickly(bare + b"\0") is None
    with pytest.raises(NotUnderstood, match="cut short"):
        read_header(BytesIO(bare[:-1]), ExplicitVRLittleEndian, PLENTY)
    assert quickly(bare[:-1]) is None


@given(
    st.sampled_from(
        [
            (WHOLE, EXPLICIT[0]),
            (encapsulated(b"one", b"two"), EXPLICIT[1]),
            (IMPLICIT, ImplicitVRLittleEndian),
        ]
    ),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=3),
    st.integers(0, 12),
)
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_damaged_bytes_are_never_read_otherwise_than_pydicom_reads_them(
    whole: tuple[bytes, UID], damage: list[tuple[int, int]], cut: int
) -> None:
    encoded, syntax = bytearray(whole[0]), whole[1]
    for position, value in damage:
        encoded[position % len(encoded)] = value
    damaged = bytes(encoded[: len(encoded) - cut])
    quick = quickly(damaged, syntax)
    assert quick is None or quick == slowly(damaged, syntax)
