"""A copy of the database while it is in use."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from dicom_node.archive.durable import sync_folder
from dicom_node.errors import NodeError, StoreUnavailable


def back_up(url: str, target: Path) -> None:
    """Copy the SQLite database at `url` to `target`, whole and checked, while the node works on it.

    Raises:
        NodeError: it is not SQLite, or `target` is there already.
        StoreUnavailable: it cannot be read, or the copy not written.
    """
    address = make_url(url)
    if address.get_backend_name() != "sqlite" or not address.database:
        raise NodeError("only a SQLite database is backed up by the node; use pg_dump for PostgreSQL")
    if target.exists():
        raise NodeError(f"{target} is there already; give another name")
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        os.close(os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        _copy(Path(address.database), unfinished)
        unfinished.rename(target)
        sync_folder(target.parent)
    except (OSError, sqlite3.Error) as error:
        unfinished.unlink(missing_ok=True)
        raise StoreUnavailable(f"the backup {target} could not be made: {error}") from error


def _copy(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as here,
        closing(sqlite3.connect(target)) as there,
    ):
        here.backup(there)
        [answer] = there.execute("PRAGMA integrity_check").fetchone()
        if answer != "ok":
            raise sqlite3.DatabaseError(f"integrity check: {answer}")
