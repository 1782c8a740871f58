"""What a bundle consists of, how large each part may be, and the list of digests that holds it together."""

import hashlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from models.errors import WeightsCorrupt
from models.golden import GOLDEN_NAME, MAX_GOLDEN_BYTES
from models.manifest import MANIFEST_NAME, MAX_MANIFEST_BYTES, WEIGHTS_NAME
from models.weights_file import MAX_WEIGHTS_BYTES

CARD_NAME: Final = "card.md"
DIGESTS_NAME: Final = "SHA256SUMS"
SIGNATURE_NAME: Final = "SHA256SUMS.sig"
SIGNATURE_BYTES: Final = 64

LIMITS: Final[Mapping[str, int]] = MappingProxyType(
    {
        DIGESTS_NAME: 4 * 1024,
        SIGNATURE_NAME: SIGNATURE_BYTES,
        MANIFEST_NAME: MAX_MANIFEST_BYTES,
        CARD_NAME: 1024 * 1024,
        GOLDEN_NAME: MAX_GOLDEN_BYTES,
        WEIGHTS_NAME: MAX_WEIGHTS_BYTES,
    }
)
"""Every name that a bundle may hold, and its largest size in bytes."""

CONTENT: Final = (CARD_NAME, GOLDEN_NAME, MANIFEST_NAME, WEIGHTS_NAME)
"""What the list of digests speaks of, in its order."""

_LINE: Final = re.compile(r"([0-9a-f]{64})  (\S+)")


def digest_list(files: Mapping[str, bytes]) -> bytes:
    """The text of `SHA256SUMS`, as `sha256sum` writes and checks it. Equal files give equal bytes."""
    held = [name for name in CONTENT if name in files]
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in held).encode()


def bundle_digest(digests: bytes) -> str:
    """What a bundle is known by: SHA-256 of its list of digests. A signature does not change it."""
    return hashlib.sha256(digests).hexdigest()


def check_digests(files: Mapping[str, bytes], where: str) -> None:
    """Compare every file with the list among them, which must speak of all, and of no other.

    Raises WeightsCorrupt, `where` being what the sentence calls the bundle.
    """
    for name in (DIGESTS_NAME, MANIFEST_NAME, WEIGHTS_NAME):
        if name not in files:
            raise WeightsCorrupt(f"{where} holds no {name}: this is no model bundle")
    listed = _listed(files[DIGESTS_NAME], where)
    held = set(files) - {DIGESTS_NAME, SIGNATURE_NAME}
    if set(listed) != held:
        odd = ", ".join(sorted(set(listed) ^ held))
        raise WeightsCorrupt(f"{where}: its list of digests and its files do not agree on {odd}")
    for name in listed:
        check_listed(name, files[name], files[DIGESTS_NAME], where)


def check_listed(name: str, data: bytes, digests: bytes, where: str) -> None:
    """Compare one file with the list of digests. Raises WeightsCorrupt."""
    if hashlib.sha256(data).hexdigest() != _listed(digests, where).get(name):
        raise WeightsCorrupt(f"{where}: {name} is not the file its digest names; fetch the bundle again")


def _listed(text: bytes, where: str) -> dict[str, str]:
    """Name to SHA-256, as a list of digests says. Raises WeightsCorrupt."""
    lines = text.decode("ascii", "replace").splitlines()
    parsed = [_LINE.fullmatch(line) for line in lines]
    listed = {one[2]: one[1] for one in parsed if one}
    if len(listed) != len(lines) or not set(listed) <= set(CONTENT):
        raise WeightsCorrupt(f"{where}: {DIGESTS_NAME} is no list of a bundle's digests")
    return listed
