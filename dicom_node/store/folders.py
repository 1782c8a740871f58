"""Which folders of the archive were found in line with the rows, and when they had last been changed then.

A name that comes into a folder or goes from it changes the folder's time of modification. While that is the
one noted here, and no row was touched by hand, the folder needs no look.
"""

from collections.abc import Collection, Mapping
from typing import final

from sqlalchemy import ColumnElement, Connection, Engine, delete, select

from dicom_node.store.engine import transaction, upsert
from dicom_node.store.schema import folders, instances, studies

_MANY = 1000


@final
class Folders:
    """A further face of the store's database. Thread-safe; every method may raise StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def noted(self) -> dict[str, int]:
        """Folder to its time of modification in nanoseconds; 0 for one that was not there."""
        with transaction(self._engine, writes=False) as connection:
            return {row.folder: row.modified_ns for row in connection.execute(select(folders))}

    def note(self, found: Mapping[str, int]) -> None:
        """These are in line with the rows."""
        if found:
            rows = [{"folder": folder, "modified_ns": when} for folder, when in found.items()]
            with transaction(self._engine, writes=True) as connection:
                upsert(connection, folders, rows, ["folder"])

    def forget(self) -> None:
        """The next comparison looks at every folder."""
        with transaction(self._engine, writes=True) as connection:
            connection.execute(delete(folders))

    def studies(self) -> list[str]:
        """Every study of which there was ever a file."""
        with transaction(self._engine, writes=False) as connection:
            return list(connection.execute(select(studies.c.study_instance_uid)).scalars())

    def of_no_study(self) -> set[str]:
        """The folders of files of which nobody knows the study."""
        lost = select(instances.c.path).where(instances.c.study_instance_uid.is_(None))
        with transaction(self._engine, writes=False) as connection:
            return {path.rpartition("/")[0] for path in connection.execute(lost).scalars()}

    def known_paths(self, wanted: Collection[str]) -> set[str]:
        """`Store.known_paths` of these folders."""
        known = select(instances.c.path).where(instances.c.missing_since.is_(None))
        with transaction(self._engine, writes=False) as connection:
            if len(wanted) > _MANY:
                found = connection.execute(known).scalars()
                return {path for path in found if path.rpartition("/")[0] in wanted}
            return {
                path
                for folder in wanted
                for path in connection.execute(known.where(lies_in(connection, folder))).scalars()
            }


def lies_in(connection: Connection, folder: str) -> ColumnElement[bool]:
    """Whether a file lies in `folder`, asked so that SQLite finds it by the index of paths.

    "0" is the character behind "/". Another database may sort by a language's rules, and is asked for words.
    """
    if connection.dialect.name == "sqlite":
        return (instances.c.path > f"{folder}/") & (instances.c.path < f"{folder}0")
    return instances.c.path.startswith(f"{folder}/", autoescape=True)
