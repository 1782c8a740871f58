"""Who may read what the node keeps: its own user, and nobody else."""

from pathlib import Path

from dicom_node.log import logger

log = logger(__name__)

_FOLDERS = ("archive", "results")
_FILES = ("node.db", "node.db-wal", "node.db-shm", "node.lock", "audit.log", "deidentify.key")


def close_to_others(data_dir: Path) -> None:
    """Take from others what an earlier version, or a copy, let them read.

    What the node writes now is made so from the beginning. A closed folder closes all below it. The data
    directory itself may be shared with something else, and stays as it is.
    """
    for names, mode in ((_FOLDERS, 0o700), (_FILES, 0o600)):
        for path in (data_dir / name for name in names):
            try:
                path.chmod(mode)
            except FileNotFoundError:
                continue
            except OSError as error:
                log.warning("others-may-read", path=str(path), reason=error.strerror)
