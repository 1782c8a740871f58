"""Images that were answered, and were not on the disk in a file of their own when the power went."""

from pathlib import Path

from dicom_node.archive.journal import Journal, has_journal
from dicom_node.log import logger

log = logger(__name__)


def keep_promises(archive: Path) -> None:
    """Write them, out of the journal of the archive at this folder, before anybody misses them.

    What cannot be written stays in the journal, and the receiver tries again.
    """
    if not has_journal(archive):
        return
    try:
        with Journal(archive) as journal:
            written = journal.recover()
    except OSError as error:
        log.error("promised-images-wait", reason=error.strerror or str(error))
        return
    if written:
        log.warning("promised-images-written", files=written)
