"""What is known of studies from elsewhere comes in whole or not at all, and what is corrected is not lost."""

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result as Invoked
from sqlalchemy import update
from typer.testing import CliRunner

from dicom_node.cli import app
from dicom_node.errors import NotNow
from dicom_node.store import Store
from dicom_node.store.engine import open_engine, transaction
from dicom_node.store.labels import NewLabel
from dicom_node.store.schema import studies
from models.training.labels import read_labels
from tests.dicom_node.rows import START, after, image

ONE, TWO = "1.2.3", "1.2.4"
HEADER = "study_instance_uid,patient_id,Scar,WMA,source,date\n"
GOOD = f"{HEADER}{ONE},P-1,yes,0,LGE read,2026-03-01\n{TWO},,no,,LGE read,2026-03-02\n"

Run = Callable[..., Invoked]


def scar(answer: bool = True, study: str = ONE) -> NewLabel:
    return NewLabel(study, "Scar", answer, "LGE read", date(2026, 3, 1))


@pytest.fixture
def known(store: Store, store_url: str) -> Store:
    """A store with two studies, of the patients P-1 and P-2."""
    for study, patient in ((ONE, "P-1"), (TWO, "P-2")):
        store.add_instances([image(study=study)], START)
        engine = open_engine(store_url)
        with transaction(engine, writes=True) as connection:
            named = update(studies).where(studies.c.study_instance_uid == study)
            connection.execute(named.values(patient_id=patient))
        engine.dispose()
    return store


@pytest.fixture
def run(store_url: str, known: Store, tmp_path: Path) -> Run:
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps({"data_dir": str(tmp_path), "database": {"url": store_url}}))

    def invoke(*arguments: str) -> Invoked:
        return CliRunner().invoke(app, ["--config", str(config), *arguments])

    return invoke


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        (tmp_path / "labels.csv").write_text(text)
        return str(tmp_path / "labels.csv")

    return write


def listed(run: Run, *more: str) -> list[tuple[str, str, bool]]:
    found = json.loads(run("labels", "list", "--json", *more).stdout)
    return [(one["study"], one["label"], one["answer"]) for one in found]


def acts(run: Run) -> list[str]:
    return [one["what"] for one in json.loads(run("audit", "list", "--json").stdout)]


def test_answers_come_in_with_source_day_and_who_brought_them(run: Run, table: Callable[[str], str]) -> None:
    done = run("labels", "import", table(GOOD))
    assert done.exit_code == 0, done.stderr
    assert "3 added, 0 replaced, 0 as known" in done.output
    assert listed(run) == [(ONE, "Scar", True), (ONE, "WMA", False), (TWO, "Scar", False)]
    first = json.loads(run("labels", "list", "--json").stdout)[0]
    assert (first["patient"], first["source"], first["read_on"]) == ("P-1", "LGE read", "2026-03-01")
    assert first["imported_by"]
    assert "LGE read" in run("labels", "list").output
    assert acts(run) == ["labels-import"]


def test_the_same_table_again_changes_nothing(run: Run, table: Callable[[str], str]) -> None:
    run("labels", "import", table(GOOD))
    assert "0 added, 0 replaced, 3 as known" in run("labels", "import", table(GOOD)).output
    assert acts(run) == ["labels-import"]


def test_a_dry_run_tells_and_changes_nothing(run: Run, table: Callable[[str], str]) -> None:
    assert "3 would be added" in run("labels", "import", table(GOOD), "--dry-run").output
    assert listed(run) == []
    assert acts(run) == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (f"{ONE},P-1,yes,,LGE read,2026-03-01", f"line 3: study {ONE} is in line 2 already"),
        ("9.9.9,P-1,yes,,LGE read,2026-03-01", "line 3: study 9.9.9 is not here"),
        (f"{TWO},P-1,yes,,LGE read,2026-03-01", f"line 3: study {TWO} is of another patient"),
        (f"{TWO},P-2,perhaps,,LGE read,2026-03-01", "line 3: Scar is 'perhaps'; known are 1, yes"),
        (f"{TWO},P-2,yes,,,2026-03-01", "line 3: no source"),
        (f"{TWO},P-2,yes,,LGE read,1.3.2026", "line 3: date is '1.3.2026', not a day"),
        (",P-2,yes,,LGE read,2026-03-01", "line 3: no study_instance_uid"),
        (f"{TWO},P-2,yes", "line 3: 3 values for 6 columns"),
    ],
    ids=["twice", "unknown", "patient", "answer", "source", "date", "no-study", "short"],
)
def test_one_fault_anywhere_is_named_by_its_line_and_nothing_changes(
    run: Run, table: Callable[[str], str], line: str, fault: str
) -> None:
    done = run("labels", "import", table(f"{HEADER}{ONE},P-1,yes,0,LGE read,2026-03-01\n{line}\n"))
    assert done.exit_code == 1
    assert fault in " ".join(done.stderr.split())
    assert listed(run) == []
    assert acts(run) == []


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        ("study_instance_uid,patient_id,source,date", "has no label"),
        ("study_instance_uid,Scar,source,date", "has no column 'patient_id'"),
        (f"study_instance_uid,patient_id,{'S' * 65},source,date", "cannot be the name of a label"),
    ],
)
def test_a_table_without_what_it_needs_says_so(
    run: Run, table: Callable[[str], str], header: str, fault: str
) -> None:
    cells = ",".join("x" for _ in header.split(","))
    done = run("labels", "import", table(f"{header}\n{cells}\n"))
    assert done.exit_code == 1
    assert fault in " ".join(done.stderr.split())


def test_what_contradicts_a_stored_answer_needs_replace_and_leaves_history_and_trace(
    run: Run, table: Callable[[str], str]
) -> None:
    run("labels", "import", table(GOOD))
    other = table(f"{HEADER}{ONE},P-1,no,,second read,2026-04-01\n")
    refused = run("labels", "import", other)
    assert refused.exit_code == 1
    assert f"line 2: Scar of study {ONE} is no, but yes here (LGE read, 2026-03-01)" in " ".join(
        refused.stderr.split()
    )
    assert (ONE, "Scar", True) in listed(run)
    assert "0 added, 1 replaced" in run("labels", "import", other, "--replace").output
    assert listed(run)[0] == (ONE, "Scar", False)
    assert listed(run, "--history")[:2] == [(ONE, "Scar", True), (ONE, "Scar", False)]
    assert acts(run) == ["labels-import", "labels-import", "label-replaced"]


def test_what_is_exported_comes_in_again_and_trains(
    run: Run, table: Callable[[str], str], tmp_path: Path
) -> None:
    run("labels", "import", table(GOOD))
    whole, one = tmp_path / "whole.csv", tmp_path / "scar.csv"
    assert run("labels", "export", str(whole)).exit_code == 0
    assert "0 added, 0 replaced, 3 as known" in run("labels", "import", str(whole)).output
    assert run("labels", "export", str(one), "--label-column", "Scar").exit_code == 0
    read = read_labels(one, "Scar")
    assert {study: (label.patient, label.answer) for study, label in read.by_study.items()} == {
        ONE: ("P-1", True),
        TWO: ("P-2", False),
    }
    assert next(csv.reader(one.read_text().splitlines())) == HEADER.strip().replace(",WMA", "").split(",")


def test_an_export_overwrites_nothing_and_says_what_there_is(
    run: Run, table: Callable[[str], str], tmp_path: Path
) -> None:
    nothing = run("labels", "export", str(tmp_path / "out.csv"))
    assert nothing.exit_code == 1
    assert "known labels: none" in nothing.stderr
    run("labels", "import", table(GOOD))
    there = run("labels", "export", str(tmp_path / "labels.csv"))
    assert there.exit_code == 1
    assert "cannot be written" in there.stderr
    assert (tmp_path / "labels.csv").read_text() == GOOD


def test_two_who_correct_at_the_same_time_do_not_both_succeed(known: Store) -> None:
    known.labels.change([scar()], [], START, "a")
    [old] = known.labels.standing()
    known.labels.change([scar(False)], [old], after(1), "b")
    with pytest.raises(NotNow, match="import again"):
        known.labels.change([scar()], [old], after(2), "c")
    with pytest.raises(NotNow, match="import again"):
        known.labels.change([scar(study=TWO), scar()], [], after(2), "c")
    assert [(one.study, one.answer) for one in known.labels.standing()] == [(ONE, False)]
    assert [one.superseded_at for one in known.labels.history()] == [after(1), None]
