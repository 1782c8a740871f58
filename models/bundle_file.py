"""A model as one file: a zip of a few known files, their digests, and maybe a signature.

Whoever reads one believes nothing: names, kinds and sizes are judged before a byte is unpacked, digests
before a byte is interpreted. Nothing in a bundle is ever executed.
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from models.bundle_contents import (
    CARD_NAME,
    CONTENT,
    DIGESTS_NAME,
    LIMITS,
    SIGNATURE_NAME,
    bundle_digest,
    check_digests,
    digest_list,
)
from models.errors import WeightsCorrupt
from models.golden import GOLDEN_NAME, golden_of
from models.manifest import MANIFEST_NAME, WEIGHTS_NAME, Manifest, manifest_of
from models.signature import sign, signer
from models.weights_file import check_weights_bytes

MAX_BUNDLE_BYTES: Final = sum(LIMITS.values()) + 64 * 1024
_TIMELESS: Final = (1980, 1, 1, 0, 0, 0)
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 0x1


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A bundle whose parts are what its digests say.

    Attributes:
        manifest: what it says about itself.
        files: name to bytes of everything it consists of, its list of digests included.
        digest: SHA-256 of that list (64 hexadecimal digits): what the bundle is known by.
        signer: fingerprint of the trusted key that signed it; empty if nobody that is trusted did.
    """

    manifest: Manifest
    files: Mapping[str, bytes]
    digest: str
    signer: str = ""

    @property
    def card(self) -> str:
        """The model card, Markdown; empty if there is none."""
        return self.files.get(CARD_NAME, b"").decode("utf-8", "replace")

    @property
    def signed(self) -> bool:
        """Whether it carries a signature, by whomever."""
        return SIGNATURE_NAME in self.files


def bundle_of(files: Mapping[str, bytes], where: str, trusted: Sequence[Path] = ()) -> Bundle:
    """The bundle that these files are, every digest compared; with `trusted` keys, signed by one of them.

    Raises WeightsCorrupt, `where` being what its sentence calls the bundle.
    """
    check_digests(files, where)
    digests = files[DIGESTS_NAME]
    by = signer(digests, files[SIGNATURE_NAME], trusted) if SIGNATURE_NAME in files else ""
    if trusted and not by:
        found = "is signed by somebody else" if SIGNATURE_NAME in files else "is not signed"
        raise WeightsCorrupt(f"{where} {found}: model.trusted_keys takes only what one of its keys signed")
    manifest = manifest_of(files[MANIFEST_NAME], where)
    check_weights_bytes(manifest, files[WEIGHTS_NAME], where)
    if GOLDEN_NAME in files:
        golden_of(files[GOLDEN_NAME], where)
    return Bundle(manifest, MappingProxyType(dict(files)), bundle_digest(digests), by)


def bundle_from_folder(folder: Path, trusted: Sequence[Path] = ()) -> Bundle:
    """The bundle of a folder without a list of digests, as training leaves one: they are made here.

    Raises WeightsCorrupt.
    """
    files = {name: data for name in CONTENT if (data := _bounded(folder / name, LIMITS[name])) is not None}
    return bundle_of(files | {DIGESTS_NAME: digest_list(files)}, str(folder), trusted)


def read_unpacked(folder: Path, trusted: Sequence[Path] = ()) -> Bundle:
    """The bundle of a folder that holds its own list of digests. Raises WeightsCorrupt."""
    files = {name: data for name in LIMITS if (data := _bounded(folder / name, LIMITS[name])) is not None}
    return bundle_of(files, str(folder), trusted)


def read_bundle(path: Path, trusted: Sequence[Path] = ()) -> Bundle:
    """The bundle in the file at `path`. Raises WeightsCorrupt: nothing of it is to be used."""
    return bundle_of(_unpacked(path), str(path), trusted)


def pack(bundle: Bundle, key: Path | None = None) -> bytes:
    """The file of a bundle, signed anew if there is a private `key`. Equal bundles give equal bytes."""
    files = dict(bundle.files)
    if key is not None:
        files[SIGNATURE_NAME] = sign(files[DIGESTS_NAME], key)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:  # its large members are packed already
        for name in LIMITS:
            if name in files:
                member = zipfile.ZipInfo(name, _TIMELESS)
                member.create_system, member.external_attr = 3, (stat.S_IFREG | 0o644) << 16
                archive.writestr(member, files[name])
    return whole.getvalue()


def _unpacked(path: Path) -> dict[str, bytes]:
    data = _bounded(path, MAX_BUNDLE_BYTES)
    if data is None:
        raise WeightsCorrupt(f"there is no file {path}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _judge(members, path)
            return {member.filename: archive.read(member) for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
        raise WeightsCorrupt(f"{path} is cut off, or no model bundle: {error}") from error


def _judge(members: Sequence[zipfile.ZipInfo], path: Path) -> None:
    """Refuse what no bundle holds, by what the archive says of itself; it cannot unpack to more than that."""
    names = [member.filename for member in members]
    if not members or min(member.header_offset for member in members) > 0:
        raise zipfile.BadZipFile("it does not begin as one")  # what was found is a zip inside of it
    if len(set(names)) < len(names):
        raise WeightsCorrupt(f"{path} holds {max(names, key=names.count)!r} twice")
    for member in members:
        name = member.filename
        kind = stat.S_IFMT(member.external_attr >> 16)
        if name not in LIMITS or member.orig_filename != name:
            raise WeightsCorrupt(f"{path} holds {member.orig_filename[:80]!r}, which belongs to no bundle")
        if kind not in (0, stat.S_IFREG) or member.flag_bits & _ENCRYPTED:
            raise WeightsCorrupt(f"{path}: {name} is a link or encrypted, not a file that can be read")
        if member.compress_type not in _METHODS:
            raise WeightsCorrupt(f"{path}: {name} is packed in a way that no bundle uses")
        if member.file_size > LIMITS[name]:
            raise WeightsCorrupt(f"{path}: {name} unpacks to more than {LIMITS[name]} bytes")


def _bounded(path: Path, limit: int) -> bytes | None:
    """The bytes of a file; None if there is none. Raises WeightsCorrupt if it is larger than `limit`."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WeightsCorrupt(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > limit:
        raise WeightsCorrupt(f"{path} is over {limit} bytes: this is no part of a model bundle")
    return data
