"""What `doctor` says of the way images come in: the native part, and the journal."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from dicom_node.operate.finding import Finding, Level
from dicom_node.receiver.settling import can_settle


def reception_findings(journal_mb: int, archive: Path) -> Iterator[Finding]:
    """Whether images take the fast way here, and why not. The archive's folder need not be there yet."""
    if find_spec("dicom_node.receiver._native") is None:
        advice = "install gcc, libssl-dev and python3-dev, then `make native`"
        found = "its native part is not built: images come in more slowly"
        yield Finding("reception", Level.WARNING, found, advice)
        return
    yield Finding("reception", Level.FINE, "its native part is built")
    yield Finding("journal", Level.FINE, _journal(journal_mb, archive))


def _journal(journal_mb: int, archive: Path) -> str:
    otherwise = "each image is durable in its own file before it is answered"
    if not journal_mb:
        return f"none, for receive.journal_mb is 0: {otherwise}"
    if not can_settle(next(folder for folder in (archive, *archive.parents) if folder.exists())):
        return f"none, for it takes ext4, XFS or Btrfs, and Linux 5.8: {otherwise}"
    return (
        f"images are durable in {journal_mb} MB before they are answered, in their own files a moment later"
    )
