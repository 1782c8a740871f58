"""Who vouches for a bundle: an Ed25519 signature (RFC 8032) over its list of digests."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from models.errors import WeightsCorrupt

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_MAX_KEY_BYTES: Final = 64 * 1024


def sign(digests: bytes, key: Path) -> bytes:
    """The 64 bytes of the signature by the private key in `key` (PEM, PKCS #8, without a passphrase).

    Raises WeightsCorrupt if that holds no such key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(_read(key), password=None)
    except (ValueError, TypeError) as error:
        raise WeightsCorrupt(f"{key} holds no private key in PEM, without a passphrase") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise WeightsCorrupt(f"{key} is no Ed25519 key; `openssl genpkey -algorithm ed25519` makes one")
    return private.sign(digests)


def signer(digests: bytes, signature: bytes, trusted: Iterable[Path]) -> str:
    """The fingerprint of the trusted key (PEM) that signed the list; empty if none of them did.

    Raises WeightsCorrupt if one of the files holds no public key.
    """
    from cryptography.exceptions import InvalidSignature

    for path in trusted:
        public = _public(path)
        try:
            public.verify(signature, digests)
        except InvalidSignature:
            continue
        return hashlib.sha256(public.public_bytes_raw()).hexdigest()
    return ""


def _public(path: Path) -> "Ed25519PublicKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        public = load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise WeightsCorrupt(f"model.trusted_keys: {path} holds no public key in PEM") from error
    if not isinstance(public, Ed25519PublicKey):
        raise WeightsCorrupt(f"model.trusted_keys: {path} is no Ed25519 key")
    return public


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_KEY_BYTES)
    except OSError as error:
        raise WeightsCorrupt(f"the key {path} cannot be read: {error.strerror}") from error
