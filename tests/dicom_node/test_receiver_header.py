"""Reading three UIDs out of bytes that a stranger sent."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filewriter import write_dataset
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
from tests.dicom_node.receiving import MR_IMAGE, SECONDARY_CAPTURE, Sent, data_set_of, element

PLENTY = 100_000_000
WHOLE = Sent(study="1.02.3", instance="1.2.3.4", extra=element(8, 0x1090, b"LO", b"SIGNA HDx "))


def read(encoded: bytes, syntax: UID = ExplicitVRLittleEndian, max_bytes: int = PLENTY) -> Header:
    return read_header(BytesIO(encoded), syntax, max_bytes)


def encapsulated(*fragments: bytes, end: bytes = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)) -> bytes:
    items = b"".join(struct.pack("<HHL", 0xFFFE, 0xE000, len(part)) + part for part in fragments)
    head = WHOLE.dataset[: WHOLE.dataset.index(struct.pack("<HH", 0x7FE0, 0x0010))]
    return head + struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF) + items + end


def nested(depth: int) -> bytes:
    """Sequences in sequences, all of undefined length."""
    opening = struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    opening += struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
    closing = struct.pack("<HHL", 0xFFFE, 0xE00D, 0) + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    return opening * depth + closing * depth


def test_the_uids_come_out_verbatim() -> None:
    assert read(WHOLE.dataset) == Header("1.02.3", "1.2.3.4", MR_IMAGE, "SIGNA HDx")


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian])
@pytest.mark.parametrize("pixels", [b"", bytes(32)])
def test_every_uncompressed_encoding_is_read(syntax: UID, pixels: bytes) -> None:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.StudyInstanceUID = MR_IMAGE, "1.2.3.4", "1.2.3"
    if pixels:
        dataset.BitsAllocated, dataset.PixelData = 16, pixels
        dataset["PixelData"].VR = "OW"
    stream = pydicom.filebase.DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = syntax.is_little_endian, syntax.is_implicit_VR
    write_dataset(stream, dataset)
    encoded = stream.getvalue()
    assert read(encoded, syntax).study_instance_uid == "1.2.3"
    with pytest.raises(NotUnderstood, match="cut short"):
        read(encoded[:-1], syntax)


def test_a_deflated_data_set_is_read_and_one_cut_short_is_noticed() -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(WHOLE.dataset) + packer.flush()
    assert read(packed, DeflatedExplicitVRLittleEndian).sop_instance_uid == "1.2.3.4"
    with pytest.raises(NotUnderstood, match="deflated data set is cut short"):
        read(packed[:-4], DeflatedExplicitVRLittleEndian)


def test_a_deflated_data_set_does_not_unpack_beyond_the_bound() -> None:
    packer = zlib.compressobj(level=9, wbits=-zlib.MAX_WBITS)
    bomb = packer.compress(WHOLE.dataset + bytes(50_000_000)) + packer.flush()
    assert len(bomb) < 60_000
    with pytest.raises(NotUnderstood, match="unpacks to more than is allowed"):
        read(bomb, DeflatedExplicitVRLittleEndian, max_bytes=4_000_000)


def test_encapsulated_pixel_data_must_be_closed() -> None:
    assert read(encapsulated(b"", b"12345678"), JPEGLSLossless).sop_class_uid == MR_IMAGE
    with pytest.raises(NotUnderstood, match="cut short"):
        read(encapsulated(b"", b"12345678", end=b""), JPEGLSLossless)
    with pytest.raises(NotUnderstood, match="cut short"):
        read(encapsulated(b"", b"12345678")[:-12], JPEGLSLossless)
    with pytest.raises(NotUnderstood, match="not made of items"):
        read(encapsulated(b"", end=bytes(16)), JPEGLSLossless)


@pytest.mark.parametrize("at", [*range(10, 100, 7), -1, -64, -70])
def test_a_data_set_cut_anywhere_is_refused(at: int) -> None:
    with pytest.raises(NotUnderstood):
        read(WHOLE.dataset[:at])


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_a_private_value_that_never_ends_is_refused() -> None:
    unending = struct.pack("<HH2sHL", 0x0021, 0x1001, b"OB", 0, 0xFFFFFFFF) + b"12345678" * 4
    head = WHOLE.dataset[: WHOLE.dataset.index(struct.pack("<HH", 0x7FE0, 0x0010))]
    with pytest.raises(NotUnderstood, match="cut short"):
        read(head + unending)


def test_a_sequence_cut_short_at_the_end_is_refused() -> None:
    whole = WHOLE.dataset[: WHOLE.dataset.index(struct.pack("<HH", 0x7FE0, 0x0010))]
    content = struct.pack("<HH2sHL", 0x0040, 0xA730, b"SQ", 0, 0xFFFFFFFF)
    content += struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF) + element(0x0040, 0xA160, b"UT", b"text")
    closed = content + struct.pack("<HHL", 0xFFFE, 0xE00D, 0) + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    assert read(whole + closed).study_instance_uid == "1.02.3"
    with pytest.raises(NotUnderstood, match="cut short"):
        read(whole + content)


@pytest.mark.parametrize(
    ("missing", "name"),
    [
        (element(0x0020, 0x000D, b"UI", b"1.02.3"), "Study Instance UID"),
        (element(0x0008, 0x0018, b"UI", b"1.2.3.4"), "SOP Instance UID"),
        (element(0x0008, 0x0016, b"UI", MR_IMAGE.encode()), "SOP Class UID"),
    ],
)
def test_a_missing_uid_is_named(missing: bytes, name: str) -> None:
    with pytest.raises(NotUnderstood, match=f"no {name}"):
        read(WHOLE.dataset.replace(missing, b""))


def test_a_uid_of_a_hundred_characters_passes_and_one_of_a_thousand_does_not() -> None:
    longer, absurd = "1." + "2" * 98, "1." + "2" * 998
    assert read(Sent(study=longer).dataset).study_instance_uid == longer
    with pytest.raises(NotUnderstood, match="1000 characters long"):
        read(Sent(study=absurd).dataset)


def test_a_hundred_thousand_characters_in_a_short_field_do_no_harm() -> None:
    name = struct.pack("<HHL", 0x0010, 0x0010, 100_000) + b"X" * 100_000
    elements = [(8, 0x16, MR_IMAGE), (8, 0x18, "1.2.3.4"), (0x20, 0x0D, "1.2.3")]
    encoded = [
        struct.pack("<HHL", group, number, len(value) + len(value) % 2)
        + value.encode()
        + b"\0" * (len(value) % 2)
        for group, number, value in elements
    ]
    body = encoded[0] + encoded[1] + name + encoded[2]
    assert read(body, ImplicitVRLittleEndian).study_instance_uid == "1.2.3"


def test_nesting_too_deep_for_the_parser_is_its_recursion_error() -> None:
    with pytest.raises(RecursionError):
        read(Sent(extra=nested(5_000)).dataset)
    assert read(Sent(extra=nested(20)).dataset).sop_instance_uid == "1.2.3.4"


def test_a_name_of_the_model_is_read_for_the_loop_guard() -> None:
    ours = Sent(sop_class=SECONDARY_CAPTURE, extra=element(8, 0x1090, b"LO", b"dicom-node"))
    assert read(ours.dataset).model_name == "dicom-node"


@pytest.mark.data
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_real_images_are_read_whole_and_refused_when_cut(
    sunnybrook: Callable[[str], list[Path]], bivme: list[Path]
) -> None:
    for path in (*sunnybrook("SC-HF-I-1")[::60], *sunnybrook("SC-HF-I-4")[::60], *bivme[::90]):
        body = data_set_of(path)
        syntax = pydicom.filereader.read_file_meta_info(path).TransferSyntaxUID
        header = read(body, syntax)
        assert header.sop_class_uid == MR_IMAGE
        assert header.study_instance_uid.encode() in body
        for cut in (len(body) - 1, len(body) // 2, 700):
            with pytest.raises(NotUnderstood):
                read(body[:cut], syntax)


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=400))
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_garbage_never_passes_for_an_instance(data: bytes) -> None:
    with pytest.raises(Exception, match=r".*"):
        read(data)
