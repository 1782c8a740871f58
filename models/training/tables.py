"""CSV that people wrote: bounded, with a header, by commas, semicolons or tabs."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import TrainingRefused

MAX_TABLE_BYTES: Final = 32 * 1024 * 1024
STUDY: Final = "study_instance_uid"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its values by column, none with blanks around it, and its number in the file."""

    line: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows, and the columns its header names."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def need(self, *columns: str) -> None:
        """Raises TrainingRefused if one of `columns` is missing."""
        if missing := [column for column in columns if column not in self.columns]:
            known = ", ".join(self.columns)
            raise TrainingRefused(f"{self.path} has no column {missing[0]!r}; it has {known}")

    def by_study(self) -> Iterator[tuple[str, Row]]:
        """Every row with its Study Instance UID. Raises TrainingRefused where that is empty."""
        self.need(STUDY)
        for row in self.rows:
            if not row.values[STUDY]:
                raise TrainingRefused(f"{self.path}, line {row.line}: no {STUDY}")
            yield row.values[STUDY], row


def read_table(path: Path) -> Table:
    """The table in `path`, UTF-8 with or without a mark.

    Raises TrainingRefused if it cannot be read, is too large, has no rows, or a row of other length.
    """
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise TrainingRefused(f"{path} is over {MAX_TABLE_BYTES} bytes: this is no table of studies")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        reader = csv.reader(lines, delimiter=_delimiter(lines[0] if lines else ""), strict=True)
        columns = tuple(name.strip() for name in next(reader, []))
        rows = tuple(_row(path, columns, reader.line_num, cells) for cells in reader if any(cells))
    except OSError as error:
        raise TrainingRefused(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise TrainingRefused(f"{path} is no CSV in UTF-8: {error}") from error
    if len(set(columns)) < len(columns):
        raise TrainingRefused(f"{path} has two columns of the same name")
    if not rows:
        raise TrainingRefused(f"{path} has no rows")
    return Table(path, columns, rows)


def _row(path: Path, columns: tuple[str, ...], line: int, cells: list[str]) -> Row:
    if len(cells) != len(columns):
        raise TrainingRefused(f"{path}, line {line}: {len(cells)} values for {len(columns)} columns")
    return Row(line, dict(zip(columns, (cell.strip() for cell in cells), strict=True)))


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)
