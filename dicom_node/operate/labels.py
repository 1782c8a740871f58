"""A table of labels from people, held against the studies here and what is already known of them.

    study_instance_uid,patient_id,Scar,WMA,source,date
    1.2.840.1,P-17,yes,no,LGE read,2026-03-01

Every column beside the four is a label. An empty answer says nothing. Nothing is written unless every line is
sound, and every line that is not is named.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from dicom_node.errors import LabelsRefused
from dicom_node.store.labels import Labels, NewLabel, StoredLabel
from models.training.labels import KNOWN_ANSWERS, PATIENT, answer_of
from models.training.tables import STUDY, Row, Table, read_table

SOURCE: Final = "source"
DATE: Final = "date"
_FAULTS_SHOWN: Final = 20
_LONGEST_LABEL: Final = 64


@dataclass(frozen=True, slots=True)
class Change:
    """What an import would do: `replaced` holds what stands now, and what would take its place."""

    added: tuple[NewLabel, ...]
    replaced: tuple[tuple[StoredLabel, NewLabel], ...]
    unchanged: int


def plan_import(path: Path, labels: Labels, *, replace: bool) -> Change:
    """What importing the table at `path` would change; `replace` corrects what contradicts what is stored.

    Raises:
        LabelsRefused: a line contradicts another, its study or what is stored; every fault is named.
        TrainingRefused: it is no table.
    """
    table = read_table(path)
    table.need(STUDY, PATIENT, SOURCE, DATE)
    asked = _label_columns(table)
    faults: list[str] = []
    rows = list(_sound(table, labels.patients(row.values[STUDY] for row in table.rows), faults))
    wanted = [one for row in rows for one in _answers(row, asked, faults)]
    change = _against({(one.study, one.label): one for one in labels.standing()}, wanted, replace, faults)
    if faults:
        more = len(faults) - _FAULTS_SHOWN
        shown = [*faults[:_FAULTS_SHOWN], *([f"and {more} more"] if more > 0 else [])]
        raise LabelsRefused("\n".join([f"{path} is not imported, nothing was changed:", *shown]))
    return change


def as_table(standing: Sequence[StoredLabel], label: str = "") -> str:
    """The labels in the form that they are imported in, a line per study; of `label` alone, if it is given.

    Where a study's labels come from several sources they are joined, and the latest day stands.
    """
    chosen = [one for one in standing if label in ("", one.label)]
    columns = sorted({one.label for one in chosen})
    by_study: dict[str, list[StoredLabel]] = {}
    for one in chosen:
        by_study.setdefault(one.study, []).append(one)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([STUDY, PATIENT, *columns, SOURCE, DATE])
    for study, known in by_study.items():
        answers = {one.label: str(int(one.answer)) for one in known}
        sources = "; ".join(dict.fromkeys(one.source for one in known))
        cells = [answers.get(column, "") for column in columns]
        writer.writerow([study, known[0].patient, *cells, sources, max(one.read_on for one in known)])
    return text.getvalue()


def _label_columns(table: Table) -> tuple[str, ...]:
    asked = tuple(name for name in table.columns if name not in (STUDY, PATIENT, SOURCE, DATE))
    if not asked:
        raise LabelsRefused(f"{table.path} has no label: name a column after what was asked, such as Scar")
    if unfit := [name for name in asked if not (name.isprintable() and 0 < len(name) <= _LONGEST_LABEL)]:
        raise LabelsRefused(f"{table.path}: {unfit[0][:80]!r} cannot be the name of a label")
    return asked


def _sound(table: Table, patients: Mapping[str, str], faults: list[str]) -> Iterator[Row]:
    """The rows about one study that is here, once, and of the patient it is of."""
    seen: dict[str, int] = {}
    for row in table.rows:
        study, patient = row.values[STUDY], row.values[PATIENT]
        before = seen.setdefault(study, row.line)
        if not study:
            faults.append(f"line {row.line}: no {STUDY}")
        elif before != row.line:
            faults.append(f"line {row.line}: study {study} is in line {before} already")
        elif study not in patients:
            faults.append(f"line {row.line}: study {study} is not here; send its images first")
        elif patient and patients[study] and patient != patients[study]:
            faults.append(f"line {row.line}: study {study} is of another patient than the table says")
        else:
            yield row


def _answers(row: Row, asked: Sequence[str], faults: list[str]) -> Iterator[tuple[int, NewLabel]]:
    """What a row says, with its line."""
    values = row.values
    try:
        read_on = date.fromisoformat(values[DATE])
    except ValueError:
        faults.append(f"line {row.line}: {DATE} is {values[DATE][:40]!r}, not a day such as 2026-03-01")
        return
    if not values[SOURCE]:
        faults.append(f"line {row.line}: no {SOURCE}: who or what says so?")
        return
    for label in asked:
        word = values[label]
        if (answer := answer_of(word)) is not None:
            yield row.line, NewLabel(values[STUDY], label, answer, values[SOURCE], read_on)
        elif word:
            faults.append(f"line {row.line}: {label} is {word[:40]!r}; known are {KNOWN_ANSWERS}")


def _against(
    standing: Mapping[tuple[str, str], StoredLabel],
    wanted: Sequence[tuple[int, NewLabel]],
    replace: bool,
    faults: list[str],
) -> Change:
    added, replaced, unchanged = [], [], 0
    for line, new in wanted:
        old = standing.get((new.study, new.label))
        if old is None:
            added.append(new)
        elif replace and (old.answer, old.source, old.read_on) != (new.answer, new.source, new.read_on):
            replaced.append((old, new))
        elif old.answer == new.answer:
            unchanged += 1
        else:
            faults.append(
                f"line {line}: {new.label} of study {new.study} is {told(new.answer)}, but "
                f"{told(old.answer)} here ({old.source}, {old.read_on}); --replace corrects it"
            )
    return Change(tuple(added), tuple(replaced), unchanged)


def told(answer: bool) -> str:
    """An answer as people give it."""
    return "yes" if answer else "no"
