"""The bytes of an archived image, as they lie on the disk."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from pipeline import Beginning

_META_BEGINS = 132  # 128 empty bytes and "DICM" (PS3.10 7.1)
_META_LENGTH_ENDS = _META_BEGINS + 12
_PIECE = 2**18  # bytes: most images at once


def read_once(file: Path) -> tuple[Beginning, str]:
    """How a Part 10 file begins, and `dataset_digest` of the same bytes.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb", buffering=0) as stream:
        head = stream.read(_PIECE)
        size = os.fstat(stream.fileno()).st_size
        return Beginning(head, size), _digest_behind_meta(stream, head)


def dataset_digest(file: Path) -> str:
    """SHA-256 of a Part 10 file behind its file meta information, hence of the bytes as they were sent.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb", buffering=0) as stream:
        return _digest_behind_meta(stream, stream.read(_PIECE))


def _digest_behind_meta(stream: BinaryIO, head: bytes) -> str:
    """Group 0002 begins with its own length, a 4-byte number in a 12-byte element (PS3.10 7.1)."""
    meta_length = int.from_bytes(head[_META_LENGTH_ENDS - 4 : _META_LENGTH_ENDS], "little")
    meta_end = _META_LENGTH_ENDS + meta_length
    digest = hashlib.sha256(memoryview(head)[meta_end:])
    stream.seek(max(meta_end, len(head)))
    while piece := stream.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()
