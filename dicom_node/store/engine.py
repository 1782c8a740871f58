"""Opening a database, and the little that differs between SQLite and PostgreSQL."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dicom_node.errors import ConfigError, StoreUnavailable

BUSY_TIMEOUT_MS = 10_000
"""How long SQLite waits for another writer."""


def open_engine(url: str, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    """An engine for `url`; connects to nothing yet.

    Raises:
        ConfigError: not a URL of SQLite or PostgreSQL.
    """
    try:
        engine = create_engine(url)
    except ImportError as error:
        raise ConfigError(f"database.url needs a driver that is not installed: {error}") from error
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigError(f"database.url cannot be used: {error}") from error
    if engine.dialect.name not in ("sqlite", "postgresql"):
        raise ConfigError(f"database.url: {engine.dialect.name} is neither sqlite nor postgresql")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", partial(_prepare_sqlite, busy_timeout_ms))
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(busy_timeout_ms: int, connection: Any, _record: object) -> None:
    """WAL lets readers and one writer work at once.

    FULL, not NORMAL: under NORMAL a power cut may undo the last commits, and if one of them recorded a
    report that has since been sent, the study would run again and the PACS hold two current reports.
    """
    connection.isolation_level = None  # we say BEGIN ourselves, below
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={busy_timeout_ms}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once: upgrading a read lock fails without waiting if another wrote."""
    mode = "IMMEDIATE" if connection.get_execution_options().get("writes") else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {mode}")


@contextmanager
def transaction(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    """One short transaction: committed at the end, rolled back on any error.

    Raises:
        StoreUnavailable: the database is locked, read-only, full, gone or not one of ours.
    """
    try:
        with engine.execution_options(writes=writes).begin() as connection:
            yield connection
    except (IntegrityError, DataError, ProgrammingError):
        raise  # our mistake, not the database's condition
    except (DBAPIError, PoolTimeout) as error:
        raise StoreUnavailable(_sentence(engine, error)) from error


def _sentence(engine: Engine, error: DBAPIError | PoolTimeout) -> str:
    cause = str(error.orig if isinstance(error, DBAPIError) else error).strip().splitlines()[0]
    where = make_url(engine.url).render_as_string(hide_password=True)
    remedy = next((text for sign, text in _REMEDIES.items() if sign in cause), "")
    return f"the database {where} cannot be used: {cause}{remedy}"


_REMEDIES = {
    "readonly": "; make the file and its folder writable for the node's user",
    "locked": "; another program holds it",
    "unable to open": "; check that its folder exists and is writable",
    "no such table": "; run `dicom-node db upgrade`",
    "disk is full": "; free space on its disk",
    "not a database": "; restore it from a backup, or move it away: images are indexed again at start",
    "malformed": "; restore it from a backup, or move it away: images are indexed again at start",
}


def _insert(dialect: str, table: Table) -> Any:
    """An INSERT that knows ON CONFLICT, which each dialect spells by itself."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # half the time a command takes to start; few need it

    return postgresql.insert(table)


def insert_missing(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose key is not there yet; leave the others as they are."""
    if rows:
        connection.execute(_insert_missing(connection.dialect.name, table), list(rows))


def upsert(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str]
) -> None:
    """Insert rows; where `key` exists, overwrite every other column that the rows name."""
    if rows:
        connection.execute(_upsert(connection.dialect.name, table, tuple(rows[0]), tuple(key)), list(rows))


# Building a statement takes longer than executing it: few are needed, over and over.


@lru_cache(maxsize=64)
def _insert_missing(dialect: str, table: Table) -> Any:
    return _insert(dialect, table).on_conflict_do_nothing()


@lru_cache(maxsize=64)
def _upsert(dialect: str, table: Table, names: tuple[str, ...], key: tuple[str, ...]) -> Any:
    statement = _insert(dialect, table)
    changed = {name: statement.excluded[name] for name in names if name not in key}
    return statement.on_conflict_do_update(index_elements=list(key), set_=changed)
