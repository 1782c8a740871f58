"""The key of the pseudonyms: made once, kept beside the database, never exported."""

import os
import secrets
from pathlib import Path

from dicom_node.archive.durable import sync_folder
from dicom_node.errors import NodeError

_NAME = "deidentify.key"
_BYTES = 32


def research_key(data_dir: Path) -> bytes:
    """The key of this node; made at the first call, readable by the node's user alone.

    Who has it can connect pseudonyms with patients. Who loses it gets other pseudonyms from then on.

    Raises:
        NodeError: it can be neither read nor made, or is damaged.
    """
    path = data_dir / _NAME
    try:
        if not path.exists():
            _make(path)
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except OSError as error:
        raise NodeError(f"the key of the pseudonyms {path} cannot be used: {error.strerror}") from error
    except ValueError:
        key = b""
    if len(key) != _BYTES:
        raise NodeError(
            f"{path} is damaged: restore it from the backup; if there is none, move it away, and exports get "
            "other pseudonyms from now on"
        )
    return key


def _make(path: Path) -> None:
    """Whole and durable under its name, or not there; of two that make it at once the first counts."""
    unfinished = path.with_name(f".{_NAME}-{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(unfinished, path)
    except FileExistsError:
        return
    finally:
        unfinished.unlink()
    sync_folder(path.parent)
