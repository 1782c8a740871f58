"""What is known of each study: a CSV file with a row per study, and the one column that is learned.

    study_instance_uid,patient_id,Scar,WMA,source
    1.2.840.1,P-17,yes,no,LGE 2024

The column is always named: scar is not a wall-motion abnormality, and a network must say which it was taught.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import TrainingRefused
from models.training.tables import Row, Table, read_table

PATIENT: Final = "patient_id"
_YES: Final = ("1", "yes", "true", "present")
_NO: Final = ("0", "no", "false", "absent")
KNOWN_ANSWERS: Final = f"{', '.join(_YES)} and {', '.join(_NO)}"
"""Every word that `answer_of` takes, for those who must choose another."""


@dataclass(frozen=True, slots=True)
class Label:
    """One study's answer. `patient` is the Patient ID, empty if the file does not say; `group` likewise."""

    study: str
    patient: str
    answer: bool
    group: str = ""


@dataclass(frozen=True, slots=True)
class Labels:
    """The answers in one column, by Study Instance UID, and of each study its value in a column of groups."""

    column: str
    by_study: Mapping[str, Label]
    group_column: str = ""


def read_labels(path: Path, column: str, group_column: str = "") -> Labels:
    """The answers in `column` of the file at `path`.

    Raises TrainingRefused, naming the line: a column that is missing, a study twice or with two answers, an
    answer that is none. Nothing is guessed.
    """
    table = read_table(path)
    table.need(column, PATIENT, *([group_column] if group_column else []))
    labels: dict[str, Label] = {}
    for study, row in table.by_study():
        label = Label(
            study, row.values[PATIENT], _answer(table, row, column), row.values.get(group_column, "")
        )
        if (known := labels.get(study)) is not None:
            what = "twice" if known == label else "twice, and contradicts itself"
            raise TrainingRefused(f"{path}, line {row.line}: study {study} is there {what}")
        labels[study] = label
    return labels_of(labels.values(), column, group_column, where=str(path))


def labels_of(known: Iterable[Label], column: str, group_column: str = "", *, where: str) -> Labels:
    """One label or more, a study each, from `where`. Raises TrainingRefused unless both answers occur."""
    labels = {label.study: label for label in known}
    if len({label.answer for label in labels.values()}) < 2:
        only = "yes" if next(iter(labels.values())).answer else "no"
        raise TrainingRefused(f"{where}: every study's {column} is {only}; there is nothing to tell apart")
    return Labels(column, labels, group_column)


def answer_of(word: str) -> bool | None:
    """What a cell says, in any case of letters; None if it is no answer."""
    lower = word.lower()
    return lower in _YES if lower in (*_YES, *_NO) else None


def _answer(table: Table, row: Row, column: str) -> bool:
    word = row.values[column]
    if (answer := answer_of(word)) is None:
        raise TrainingRefused(
            f"{table.path}, line {row.line}: {column} is {word[:40]!r}; known are {KNOWN_ANSWERS}"
        )
    return answer
