"""One file of the archive's journal, as `receiver/native/journal.c` fills it.

Its first block has the key of its entries, 16 random bytes, so that nothing a peer sends can pass for an
entry. With a new key all of them are forgotten. Each entry begins a block, with this key: a head, and the
promised file. It is sealed with it, too: all of it behind the tag is there as it was written, or it is no
entry (GMAC: AES-128 in Galois/Counter mode without plaintext, NIST SP 800-38D; the nonce is where it begins).
"""

import os
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, final

from dicom_node.archive.layout import is_ours, with_digest

KEY_BYTES: Final = 16
_BLOCK: Final = 4096
_MARK: Final = b"DCMNSEG1"
# key, tag, size of the file, size of its head, its path up to the digest of the rest
_ENTRY: Final = struct.Struct("<16s16sQQ112s")
_SEALED_AT: Final = 32
_NONCE_BYTES: Final = 12
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Promised:
    """A file that was answered with Success: `path` is relative to the archive."""

    path: str
    content: memoryview


@final
class Segment:
    """One of the journal's files."""

    def __init__(self, file: Path) -> None:
        """Open it.

        Raises:
            OSError: as the operating system says.
        """
        self.descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)

    def close(self) -> None:
        """Close it."""
        os.close(self.descriptor)

    def promised(self) -> Iterator[Promised]:
        """Every whole entry; one that was never finished was never answered.

        Raises:
            OSError: it cannot be read.
        """
        held = os.pread(self.descriptor, os.fstat(self.descriptor).st_size, 0)
        if not held.startswith(_MARK):
            return
        key = held[len(_MARK) : len(_MARK) + KEY_BYTES]
        for at in range(_BLOCK, len(held) - _ENTRY.size, _BLOCK):
            if held.startswith(key, at) and (entry := _entry(memoryview(held), at, key)) is not None:
                yield entry

    def renew(self) -> bytes:
        """Forget all entries; the key of those to come.

        Raises:
            OSError: it cannot be written; then the promises may be kept once more, or not.
        """
        key = secrets.token_bytes(KEY_BYTES)
        os.pwrite(self.descriptor, (_MARK + key).ljust(_BLOCK, b"\0"), 0)
        os.fdatasync(self.descriptor)
        return key


def make_segment(file: Path, size_bytes: int) -> None:
    """Write one in full, so that its entries need no new metadata; it has no key yet.

    Raises:
        OSError: as the operating system says.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        for at in range(0, size_bytes, _PIECE_BYTES):
            os.pwrite(descriptor, bytes(min(_PIECE_BYTES, size_bytes - at)), at)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _entry(held: memoryview, at: int, key: bytes) -> Promised | None:
    content_at = at + _ENTRY.size
    _, tag, size, head_size, name = _ENTRY.unpack_from(held, at)
    if not _is_sealed(held[at + _SEALED_AT : content_at + size], tag, at, key):
        return None
    content = held[content_at : content_at + size]
    instance = name.rstrip(b"\0").decode("latin-1")
    path = with_digest(instance, sha256(content[head_size:]).hexdigest(), ".dcm")
    return Promised(path, content) if is_ours(path) else None


def _is_sealed(sealed: memoryview, tag: bytes, at: int, key: bytes) -> bool:
    # most starts find no promise, and a receiver of long standing needs no second cryptographic library
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        AESGCM(key).decrypt(at.to_bytes(_NONCE_BYTES, "little"), tag, sealed)
    except InvalidTag:
        return False
    return True
