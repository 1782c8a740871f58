"""The way of a database from any earlier schema to ours (Alembic), shipped inside the package."""

from pathlib import Path

from sqlalchemy import Connection, inspect, make_url, text

from dicom_node.errors import NewerDatabase, NodeError
from dicom_node.store.engine import open_engine, transaction


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest schema, in one transaction; nothing if it is there.

    Raises:
        NewerDatabase: a later version of the node has been here.
        StoreUnavailable: the database cannot be written.
        ConfigError: `url` is not one of SQLite or PostgreSQL.
    """
    from alembic import command  # here, for most commands only look whether there is something to migrate
    from alembic.config import Config

    engine = open_engine(url)
    config = Config()
    config.set_main_option("script_location", "dicom_node:migrations")
    try:
        with transaction(engine, writes=True) as connection:
            _revision(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            # a read-only database must be found out now, not when the first study comes
            connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
    finally:
        engine.dispose()


def require_current(url: str) -> None:
    """Check, without writing, that the database at `url` has our schema.

    Raises:
        NodeError: there is none yet, or it is of an older or newer version; the message says what to do.
        StoreUnavailable: the database cannot be read.
    """
    database = make_url(url).database
    if make_url(url).get_backend_name() == "sqlite" and not Path(database or "").exists():
        raise NodeError(f"there is no database at {database} yet; `dicom-node serve` makes it")
    engine = open_engine(url)
    try:
        with transaction(engine, writes=False) as connection:
            found = _revision(connection)
    finally:
        engine.dispose()
    if found != max(_known()):
        raise NodeError("the database is of an older version; run `dicom-node db upgrade`")


def _known() -> set[str]:
    """The revisions there are: each file of `versions` begins with its own."""
    return {path.name.partition("_")[0] for path in Path(__file__).parent.glob("versions/[0-9]*.py")}


def _revision(connection: Connection) -> str:
    """The database's revision; empty before the first.

    Raises:
        NewerDatabase: it is none of ours.
    """
    if not inspect(connection).has_table("alembic_version"):
        return ""
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""
    if found and found not in _known():
        where = make_url(connection.engine.url).render_as_string(hide_password=True)
        raise NewerDatabase(
            f"the database {where} was written by a newer version of the node (revision {found}); "
            "install that version, or restore a backup"
        )
    return str(found)
