"""The head of a DICOM file: 128 empty bytes, "DICM", and who sent what (PS3.10 7.1)."""

import struct
from dataclasses import dataclass
from functools import lru_cache

from dicom_node import __version__

IMPLEMENTATION_CLASS_UID = "2.25.296340817093041571265713298712039452417"
"""Names this implementation in every association and every file (PS3.7 D.3.3.2)."""

IMPLEMENTATION_VERSION = f"DICOMNODE_{__version__}"[:16]
"""Names its version; at most 16 characters."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What the file meta information says about a data set. UIDs are kept as they came, valid or not."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    source_ae_title: str


def part10_head(origin: Origin) -> bytes:
    """Everything in front of the data set. The data set's own bytes follow unchanged.

    Text is encoded byte by byte (latin-1), the inverse of how the receiver decodes it, so that a UID with
    bytes no UID may have comes back as it was.
    """
    before, behind = around(origin.sop_class_uid, origin.transfer_syntax_uid, origin.source_ae_title)
    elements = before + _element(0x0003, b"UI", origin.sop_instance_uid.encode("latin-1")) + behind
    group_length = _element(0x0000, b"UL", struct.pack("<L", len(elements)))
    return bytes(128) + b"DICM" + group_length + elements


@lru_cache(maxsize=1024)
def around(sop_class_uid: str, transfer_syntax_uid: str, source_ae_title: str) -> tuple[bytes, bytes]:
    """What lies before and behind the instance's UID: the same for all that one sender sends of one kind."""
    before = (
        _element(0x0001, b"OB", b"\x00\x01"),
        _element(0x0002, b"UI", sop_class_uid.encode("latin-1")),
    )
    behind = (
        _element(0x0010, b"UI", transfer_syntax_uid.encode("latin-1")),
        _element(0x0012, b"UI", IMPLEMENTATION_CLASS_UID.encode("latin-1")),
        _element(0x0013, b"SH", IMPLEMENTATION_VERSION.encode("latin-1")),
        _element(0x0016, b"AE", source_ae_title.encode("latin-1", "replace")),
    )
    return b"".join(before), b"".join(behind)


def _element(number: int, vr: bytes, value: bytes) -> bytes:
    """One element of group 0002, always Explicit VR Little Endian, padded to even length (PS3.5 7.1)."""
    if len(value) % 2:
        value += b"\x00" if vr == b"UI" else b" "
    if vr == b"OB":
        return struct.pack("<HH2sHL", 0x0002, number, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", 0x0002, number, vr, len(value)) + value
