"""The kinds of columns and indexes that the tables have several of."""

from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Integer, text

from dicom_node.store.column_types import Words


def words_column(name: str) -> Column[str]:
    """Text, empty where nothing is known."""
    return Column(name, Words, nullable=False, default="")


def count_column(name: str) -> Column[int]:
    """A number that begins with nought."""
    return Column(name, Integer, nullable=False, default=0)


def id_column() -> Column[int]:
    """The number of a row."""
    return Column("id", Integer, primary_key=True)


def refers(name: str, to: str) -> Column[Any]:
    """A reference to the row of another table."""
    return Column(name, ForeignKey(to), nullable=False, index=True)


def partial_index(name: str, column: str, where: str) -> Index:
    """An index of the few rows that a frequent question is about, or of all that it counts.

    The migrations make it partial in PostgreSQL, too; to say so here would load that dialect for everybody.
    """
    return Index(name, column, sqlite_where=text(where))
