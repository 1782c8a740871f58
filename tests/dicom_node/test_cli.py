"""The command line as an administrator types it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result as Invoked
from typer.testing import CliRunner

from dicom_node.archive import Archive, Arrival
from dicom_node.cli import app
from dicom_node.cli.session import out
from dicom_node.clock import now_utc
from dicom_node.intake.index import Index
from dicom_node.migrations import migrate
from dicom_node.running import DataDirectoryLock
from dicom_node.statement import statement
from dicom_node.store import Store
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom

Run = Callable[..., Invoked]
HEAVY = {
    *("tensorflow", "keras", "jax", "torch", "SimpleITK", "highdicom", "matplotlib", "PIL", "cryptography"),
    *("pynetdicom", "pydicom", "numpy", "apscheduler", "alembic", "structlog", "tenacity"),
    "sqlalchemy.dialects.postgresql",
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump({"data_dir": "data", "receive": {"disk_reserve_mb": 0}}))
    return path


@pytest.fixture
def run(config: Path) -> Run:
    def invoke(*arguments: str) -> Invoked:
        return CliRunner().invoke(app, ["--config", str(config), *arguments])

    return invoke


@pytest.fixture
def study(config: Path, tmp_path: Path) -> str:
    """A small phantom study in the node's archive and index; its Study Instance UID."""
    data = config.parent / "data"
    archive = Archive(data / "archive", 0)
    files = write_dicom(
        render(draw_heart(1), Scan(slices=3, phases=8, matrix=(24, 24))), tmp_path, Layout.SIEMENS
    )
    volume = render(draw_heart(1), Scan(slices=3, phases=8, matrix=(24, 24))).volume
    paths = []
    for path in files:
        encoded = path.read_bytes()
        meta_length = 144 + int.from_bytes(encoded[140:144], "little")
        arrival = Arrival(
            volume.study_instance_uid,
            path.name,
            "1.2.840.10008.5.1.4.1.1.4",
            "1.2.840.10008.1.2.1",
            "SCANNER",
            encoded[meta_length:],
        )
        paths.append(archive.keep(arrival).path)
    migrate(f"sqlite:///{data / 'node.db'}")
    store = Store(f"sqlite:///{data / 'node.db'}")
    Index(archive, store).take(paths, now_utc())
    store.close()
    return volume.study_instance_uid


def test_help_names_every_command_and_what_exit_codes_mean() -> None:
    said = CliRunner().invoke(app, ["--help"]).output
    for word in ("serve", "demo", "status", "show", "retry", "send", "echo", "doctor", "Exit codes"):
        assert word in said


def test_a_misspelt_key_ends_with_its_own_code_and_the_nearest_key(config: Path, run: Run) -> None:
    config.write_text("recieve: {port: 1}")
    done = run("status")
    assert done.exit_code == 3
    assert "receive" in done.stderr


def test_looking_at_a_node_that_never_ran_says_so_and_makes_no_database(config: Path, run: Run) -> None:
    done = run("status")
    assert done.exit_code == 1
    assert "dicom-node serve" in done.stderr
    assert not (config.parent / "data").exists()


def test_the_conformance_statement_is_printed_as_it_is(run: Run) -> None:
    assert run("conformance").stdout == statement()


def test_upgrading_twice_does_no_harm(run: Run) -> None:
    assert run("db", "upgrade").exit_code == 0
    assert run("db", "upgrade").exit_code == 0
    assert json.loads(run("jobs", "--json").stdout) == []


def test_status_tells_a_script_what_a_person_reads(run: Run, study: str) -> None:
    status = json.loads(run("status", "--json").stdout)
    assert status["jobs"] == {"receiving": 1}
    assert (status["pid"], status["images"], status["well"]) == (0, 24, True)
    assert "not running" in run("status").output


def test_a_study_is_found_by_the_end_of_its_uid(run: Run, study: str) -> None:
    view = json.loads(run("show", study[-6:], "--json").stdout)
    assert view["job"]["study_instance_uid"] == study
    assert sum(series["images"] for series in view["series"]) == 24
    assert study in run("show", study).output


def test_an_unknown_study_is_said_to_be_unknown(run: Run, study: str) -> None:
    done = run("show", "9.9.9")
    assert done.exit_code == 1
    assert "no study matches" in done.stderr


def test_retry_of_a_study_that_has_not_failed_changes_nothing(run: Run, study: str) -> None:
    assert run("retry", study).exit_code == 1
    assert json.loads(run("jobs", "--json").stdout)[0]["state"] == "receiving"


def test_a_study_that_is_withheld_is_an_alarm_until_it_is_tried_again(
    run: Run, study: str, config: Path
) -> None:
    store = Store(f"sqlite:///{config.parent / 'data' / 'node.db'}")
    store.endings.raise_alarm(study, "the sr names another patient than its images", now_utc())
    status = run("status")
    assert status.exit_code == 1
    assert "1 studies are withheld" in " ".join(status.output.split())
    assert json.loads(run("jobs", "--json").stdout)[0]["alarm"].startswith("the sr names another patient")
    assert "withheld:" in run("jobs").output
    assert "withheld until `dicom-node retry`: the sr names another" in run("show", study).output
    assert run("retry", study).exit_code == 0
    assert run("status").exit_code == 0
    assert [event.reason for event in store.events(study)][-1] == "the alarm was ended by hand"
    store.close()


def test_export_gives_readable_names_and_the_same_bytes_twice(run: Run, study: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("export", study, str(out)).exit_code == 0
    first = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.dcm")}
    assert len(first) == 24
    assert {name.rpartition("/")[2] for name in first} == {f"{number:04d}.dcm" for number in range(1, 9)}
    assert run("export", study, str(out)).exit_code == 0
    (out / next(iter(first))).write_bytes(b"something else")
    refused = run("export", study, str(out))
    assert refused.exit_code == 1
    assert "holds something else" in refused.stderr


def test_a_destination_nobody_configured_is_a_configuration_error(run: Run) -> None:
    done = run("echo", "pacs")
    assert done.exit_code == 3
    assert "none is configured" in done.stderr


def test_sending_to_nobody_has_its_own_exit_code(run: Run, tmp_path: Path, study: str) -> None:
    files = str(next(tmp_path.glob("*.dcm")))
    done = run("send", files, "--address", "127.0.0.1:1:NOBODY")
    assert done.exit_code == 4
    assert "did not answer" in done.stderr
    assert run("send", files, "--address", "nonsense").exit_code == 3


def test_serve_check_reads_the_configuration_and_leaves(run: Run, config: Path) -> None:
    assert run("serve", "--check").exit_code == 0
    config.write_text("receive: {host: 0.0.0.0}")
    refused = run("serve", "--check")
    assert refused.exit_code == 3
    assert "callers" in refused.stderr


def test_a_held_data_directory_names_its_holder(config: Path, run: Run, study: str) -> None:
    lock = DataDirectoryLock(config.parent / "data")
    lock.acquire()
    lock.note(port=104)
    try:
        assert json.loads(run("status", "--json").stdout)["port"] == 104
    finally:
        lock.release()
    assert json.loads(run("status", "--json").stdout)["port"] == 0


def test_a_disk_below_the_first_mark_is_a_matter_for_status_and_doctor(
    config: Path, run: Run, study: str
) -> None:
    assert run("status").exit_code == 0
    settings = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump(settings | {"retain": {"warn_below_mb": 10**9}}))
    warned = run("status")
    assert warned.exit_code == 1
    assert "the disk fills up" in warned.output
    found = {one["what"]: one["level"] for one in json.loads(run("doctor", "--json").stdout)}
    assert (found["disk"], found["commitment"]) == ("warning", "fine")


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["status"]])
def test_a_command_that_only_says_something_loads_no_heavy_library(
    run: Run, config: Path, words: list[str]
) -> None:
    run("db", "upgrade")
    assert not loaded_by(config, *words) & HEAVY


def test_what_a_stranger_wrote_is_printed_as_it_is() -> None:
    with out.capture() as said:
        out.print("SAX :heart: cine")
    assert said.get() == "SAX :heart: cine\n"


def test_status_waits_for_nothing_of_the_store_but_the_tables(run: Run, config: Path) -> None:
    run("db", "upgrade")
    ours = {name for name in loaded_by(config, "status") if name.startswith("dicom_node.store.")}
    assert ours & {"dicom_node.store.store", "dicom_node.store.records", "dicom_node.store.jobs"} == set()
    assert "dicom_node.store.overview" in ours


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_waits_for_neither_the_settings_nor_the_database(config: Path, words: list[str]) -> None:
    assert not loaded_by(config, *words) & {"sqlalchemy", "pydantic_settings", "rich", "structlog"}


def loaded_by(config: Path, *words: str) -> set[str]:
    """The modules that a command has loaded when it is done."""
    code = (
        "import sys\n"
        "from dicom_node.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=config.parent,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stderr.split())
