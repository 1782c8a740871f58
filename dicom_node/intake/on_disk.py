"""The bytes of an archived image, as they lie on the disk."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from pipeline import USUAL_HEAD, Beginning, PlainHeader, begin, read_plain

_META_BEGINS = 132  # 128 empty bytes and "DICM" (PS3.10 7.1)
_META_LENGTH_ENDS = _META_BEGINS + 12
_AT_ONCE = 16  # files: most of the gain, and of the longest headers no more than stays near the processor
_PIECE = 2**18  # bytes: most images at once


def plain_headers(files: Sequence[Path | None]) -> Iterator[PlainHeader | None]:
    """The header of each file; None for one that is not plain, that cannot be read, or that is None.

    One step for many files before the next: a processor that goes to and fro is slower in each.
    """
    for start in range(0, len(files), _AT_ONCE):
        some = files[start : start + _AT_ONCE]
        beginnings = [_beginning(file) if file else None for file in some]
        yield from [_plain(file, begun) for file, begun in zip(some, beginnings, strict=True)]


def _beginning(file: Path) -> Beginning | None:
    try:
        return begin(file, USUAL_HEAD)
    except OSError:
        return None


def _plain(file: Path | None, beginning: Beginning | None) -> PlainHeader | None:
    with suppress(Exception):  # whoever asks for the facts of this one alone meets it again, and says so
        return read_plain(file, beginning) if file and beginning else None
    return None


def read_once(file: Path) -> tuple[Beginning, str]:
    """How a Part 10 file begins, and `dataset_digest` of the same bytes.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb", buffering=0) as stream:
        head = stream.read(_PIECE)
        status = os.fstat(stream.fileno())
        return Beginning(head, status.st_size, status.st_mtime), _digest_behind_meta(stream, head)


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
