"""Imported bundles on the disk, unpacked: one folder each, named by the bundle's digest."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, final

from dicom_node.archive.durable import DurableWriter
from models import WeightsCorrupt
from models.bundle_contents import DIGESTS_NAME, bundle_digest, check_listed
from models.bundle_file import Bundle, read_unpacked
from models.manifest import MANIFEST_NAME, Manifest, manifest_of

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@final
class Shelf:
    """The folder of imported bundles. What `put` returned is on the disk."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def folder(self, digest: str) -> Path:
        """Where the bundle of this digest lies, if it does."""
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{digest!r} is no digest")
        return self._root / digest

    def folders(self) -> list[Path]:
        """Every folder there is."""
        return sorted(path for path in self._root.glob("*") if _DIGEST.fullmatch(path.name))

    def put(self, bundle: Bundle) -> Path:
        """Write a bundle; its folder. The list of digests comes last: without it a folder is none.

        Raises:
            OSError: what was written of it does not count.
        """
        folder = self.folder(bundle.digest)
        writer = DurableWriter(self._root)
        for name in sorted(bundle.files, key=lambda one: one == DIGESTS_NAME):
            if not _holds(folder / name, bundle.files[name]):
                writer.write(folder / name, [bundle.files[name]])
        return folder

    def read(self, digest: str, trusted: Sequence[Path] = ()) -> Bundle:
        """A bundle with every digest compared again, and its signature, if there are `trusted` keys.

        Raises WeightsCorrupt.
        """
        bundle = read_unpacked(self.folder(digest), trusted)
        if bundle.digest != digest:
            raise WeightsCorrupt(f"{self.folder(digest)} holds another bundle; import it again")
        return bundle

    def manifest(self, digest: str) -> Manifest:
        """What a bundle says about itself, compared with its digest. Its weights are checked when loaded.

        Raises WeightsCorrupt.
        """
        folder = self.folder(digest)
        try:
            listed, manifest = ((folder / name).read_bytes() for name in (DIGESTS_NAME, MANIFEST_NAME))
        except OSError as error:
            raise WeightsCorrupt(f"{folder} cannot be read: import the model again") from error
        if bundle_digest(listed) != digest:
            raise WeightsCorrupt(f"{folder} holds another bundle; import the model again")
        check_listed(MANIFEST_NAME, manifest, listed, str(folder))
        return manifest_of(manifest, str(folder))


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False
