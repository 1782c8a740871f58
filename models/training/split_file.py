"""A split in a file: a CSV with `study_instance_uid` and `fold`, that somebody else or a training made."""

import csv
from pathlib import Path

import numpy as np

from models.errors import TrainingRefused
from models.examples import Examples
from models.training.splits import PARTS, Split, split_by_fold
from models.training.tables import STUDY, read_table


def read_split(path: Path, examples: Examples, *, fold: int = 1) -> Split:
    """The split in `path`: the parts by name (train, validation, test), or folds numbered from 1.

    Of numbered folds, `fold` is the test part and the next one the validation part. Studies of the file that
    are not among the examples are passed over.

    Raises TrainingRefused if an example is not in the file, or a patient in two parts.
    """
    table = read_table(path)
    table.need("fold")
    folds: dict[str, str] = {}
    for study, row in table.by_study():
        if folds.setdefault(study, row.values["fold"]) != row.values["fold"]:
            raise TrainingRefused(f"{path}, line {row.line}: study {study} is in two folds")
    if missing := [study for study in examples.studies if study not in folds]:
        raise TrainingRefused(f"{path} says of {len(missing)} studies no fold, first of {missing[0]}")
    held = [folds[study] for study in examples.studies]
    if all(value in PARTS for value in held):
        train, validation, test = (np.flatnonzero([value == part for value in held]) for part in PARTS)
        split = Split(train, validation, test, "parts as a file gives them")
        split.check(examples)
        return split
    return _numbered(path, examples, held, fold)


def write_split(path: Path, split: Split, examples: Examples) -> None:
    """The parts by name, as `read_split` takes them; no patient is in the file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([STUDY, "fold"])
        for part in PARTS:
            writer.writerows([examples.studies[int(index)], part] for index in getattr(split, part))


def _numbered(path: Path, examples: Examples, held: list[str], fold: int) -> Split:
    if not all(value.isascii() and value.isdigit() and int(value) > 0 for value in held):
        raise TrainingRefused(f"{path}: a fold is {', '.join(PARTS)}, or a number from 1")
    numbers = np.array([int(value) for value in held])
    count = int(numbers.max())
    if count < 3 or not 1 <= fold <= count:
        raise TrainingRefused(f"{path} has folds 1 to {count}; fold {fold} of at least 3 was asked for")
    owner: dict[str, int] = {}
    for patient, number in zip(examples.patients, numbers, strict=True):
        if owner.setdefault(patient, int(number)) != number:
            raise TrainingRefused(f"{path}: a patient's studies are in folds {owner[patient]} and {number}")
    return split_by_fold(examples, numbers - 1, folds=count, fold=fold, told="folds as a file gives them")
