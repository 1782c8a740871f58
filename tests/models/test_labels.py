"""Labels and splits as people write them: what is wrong is said with its line, and nothing is guessed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.errors import TrainingRefused
from models.training.labels import read_labels
from models.training.split_file import read_split
from models.training.tables import MAX_TABLE_BYTES
from tests.models.hearts import hearts

Write = Callable[[str], Path]
HEAD = "study_instance_uid,patient_id,Scar,WMA,ward\n"
GOOD = f"{HEAD}1.1,A,yes,0,north\n1.2,B,No,1,south\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.mark.parametrize("answer", ["1", "yes", "TRUE", "Present"])
@pytest.mark.parametrize("other", ["0", "no", "False", "absent"])
def test_an_answer_may_be_written_in_several_ways(write: Write, answer: str, other: str) -> None:
    labels = read_labels(write(f"{HEAD}1.1,A, {answer} ,0,\n1.2,B,{other},1,\n"), "Scar")
    assert [label.answer for label in labels.by_study.values()] == [True, False]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_spreadsheets_delimiters_and_mark_are_understood(write: Write, delimiter: str) -> None:
    labels = read_labels(write("\ufeff" + GOOD.replace(",", delimiter)), "Scar", "ward")
    assert labels.by_study["1.1"].patient == "A"
    assert [label.group for label in labels.by_study.values()] == ["north", "south"]


def test_scar_is_not_wma(write: Write) -> None:
    path = write(GOOD)
    scar, wma = (read_labels(path, column).by_study["1.1"].answer for column in ("Scar", "WMA"))
    assert (scar, wma) == (True, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("Scar", "LGE"), "has no column 'Scar'; it has study_instance_uid, patient_id, LGE"),
        (GOOD.replace("patient_id", "name"), "has no column 'patient_id'"),
        (GOOD.replace("study_instance_uid", "uid"), "has no column 'study_instance_uid'"),
        (f"{GOOD}1.1,A,yes,0,north\n", "line 4: study 1.1 is there twice$"),
        (f"{GOOD}1.1,A,no,0,north\n", "line 4: study 1.1 is there twice, and contradicts itself"),
        (f"{GOOD}1.1,B,yes,0,north\n", "line 4: study 1.1 is there twice, and contradicts itself"),
        (f"{GOOD}1.3,C,maybe,0,north\n", "line 4: Scar is 'maybe'; known are 1, yes"),
        (f"{GOOD}1.3,C,,0,north\n", "line 4: Scar is ''"),
        (f"{GOOD}1.3,C,yes\n", "line 4: 3 values for 5 columns"),
        (f"{GOOD},C,yes,0,north\n", "line 4: no study_instance_uid"),
        (
            f"{HEAD}1.1,A,yes,0,x\n1.2,B,yes,1,x\n",
            "every study's Scar is yes; there is nothing to tell apart",
        ),
        (HEAD, "has no rows"),
        ("", "has no rows"),
        (GOOD.replace("WMA", "Scar"), "two columns of the same name"),
        (f'{HEAD}1.1,"A,yes,0,north\n', "is no CSV in UTF-8"),
    ],
)
def test_what_is_wrong_with_labels_is_said_in_a_sentence(write: Write, text: str, said: str) -> None:
    with pytest.raises(TrainingRefused, match=said):
        read_labels(write(text), "Scar")


def test_bytes_that_are_no_text_and_files_that_are_no_table_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TrainingRefused, match="is no CSV in UTF-8"):
        read_labels(path, "Scar")
    with path.open("wb") as file:
        file.truncate(MAX_TABLE_BYTES + 1)
    with pytest.raises(TrainingRefused, match="is over"):
        read_labels(path, "Scar")
    with pytest.raises(TrainingRefused, match="cannot be read"):
        read_labels(tmp_path / "none.csv", "Scar")


def folds(*values: object) -> str:
    rows = [f"1.2.{index},{value}" for index, value in enumerate(values, 1)]
    return "\n".join(["study_instance_uid,fold", *rows])


def test_a_split_can_be_given_by_parts_or_by_numbers(write: Write) -> None:
    examples = hearts(12)
    parts = read_split(write(folds(*["train"] * 4, *["validation"] * 4, *["test"] * 4, "train")), examples)
    assert [part.tolist() for part in (parts.train, parts.validation, parts.test)] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9, 10, 11],
    ]
    numbered = read_split(write(folds(*[1] * 4, *[2] * 4, *[3] * 4)), examples, fold=2)
    assert numbered.test.tolist() == [4, 5, 6, 7]
    assert numbered.validation.tolist() == [8, 9, 10, 11]
    assert np.array_equal(numbered.train, [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (folds("train", "test", *["train"] * 4, *["validation"] * 6), "in two parts, train and test"),
        (folds(1, 2, *[1] * 2, *[2] * 4, *[3] * 4), "a patient's studies are in folds 1 and 2"),
        (folds(4, 5, *[1] * 2, *[2] * 4, *[3] * 4), "a patient's studies are in folds 4 and 5"),
        (folds(*[1] * 4, *[2] * 4, *[3] * 3), "says of 1 studies no fold, first of 1.2.12"),
        (folds(*[1] * 6, *[2] * 6), "folds 1 to 2; fold 1 of at least 3"),
        (folds(*["train"] * 4, *["validate"] * 4, *["test"] * 4), "a fold is train, validation, test, or a"),
        (
            folds(*["train"] * 4, *["validation"] * 2, *["test"] * 6),
            "validation part has 2 studies, and not both",
        ),
        (folds(*[1] * 4, *[2] * 4, *[3] * 4) + "\n1.2.1,2", "line 14: study 1.2.1 is in two folds"),
    ],
)
def test_a_split_that_leaks_or_does_not_cover_is_refused(write: Write, text: str, said: str) -> None:
    with pytest.raises(TrainingRefused, match=said):
        read_split(write(text), hearts(12))
