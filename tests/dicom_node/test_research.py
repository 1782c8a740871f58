"""A study leaves for research: `dicom-node export --deidentify`, as an administrator types it."""

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from click.testing import Result as Invoked
from pydicom import dcmread
from typer.testing import CliRunner

from dicom_node.archive import Archive, Arrival
from dicom_node.cli import app
from dicom_node.clock import now_utc
from dicom_node.confinement.landlock import version
from dicom_node.deidentify.key import research_key
from dicom_node.deidentify.order import Answer, Order
from dicom_node.errors import NodeError
from dicom_node.intake.index import Index
from dicom_node.migrations import migrate
from dicom_node.store import Store
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom

SCAN = Scan(slices=3, phases=8, matrix=(24, 24))
Run = Callable[..., Invoked]
Receive = Callable[[list[Path]], None]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({"data_dir": "data", "receive": {"disk_reserve_mb": 0}}))
    return lambda *arguments: CliRunner().invoke(app, ["--config", str(config), *arguments])


@pytest.fixture
def receive(tmp_path: Path) -> Receive:
    """Put files into the node's archive and index."""
    data = tmp_path / "data"

    def take(files: list[Path]) -> None:
        archive, paths = Archive(data / "archive", 0), []
        for path in files:
            encoded, header = path.read_bytes(), dcmread(path, stop_before_pixels=True)
            begins = 144 + int.from_bytes(encoded[140:144], "little")
            uids = str(header.StudyInstanceUID), str(header.SOPInstanceUID), str(header.SOPClassUID)
            syntax = str(header.file_meta.TransferSyntaxUID)
            paths.append(archive.keep(Arrival(*uids, syntax, "SCANNER", encoded[begins:])).path)
        migrate(f"sqlite:///{data / 'node.db'}")
        store = Store(f"sqlite:///{data / 'node.db'}")
        Index(archive, store).take(paths, now_utc())
        store.close()

    return take


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    (tmp_path / "images").mkdir()
    return write_dicom(
        render(draw_heart(1), SCAN), tmp_path / "images", Layout.SIEMENS, patient_id="MRN-55-1"
    )


def study_of(images: list[Path]) -> str:
    return str(dcmread(images[0], stop_before_pixels=True).StudyInstanceUID)


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}


def test_a_study_leaves_under_numbers_and_the_same_twice(
    run: Run, receive: Receive, images: list[Path], tmp_path: Path
) -> None:
    receive(images)
    study, out = study_of(images), tmp_path / "out"
    done = run("export", study, str(out), "--deidentify")
    assert done.exit_code == 0, done.stderr
    assert "24 images of SUBJECT-" in done.stdout
    first = files_in(out)
    assert sorted(first) == [f"{one:03d}/{two:05d}.dcm" for one in (1, 2, 3) for two in range(1, 9)]
    assert not [
        name for name, content in first.items() if b"MRN-55-1" in content or study.encode() in content
    ]
    assert run("export", study, str(out), "--deidentify").exit_code == 0
    assert files_in(out) == first
    assert len({str(dcmread(path).StudyInstanceUID) for path in out.rglob("*.dcm")}) == 1


def test_the_act_is_in_the_audit_log_and_a_dry_run_writes_nothing(
    run: Run, receive: Receive, images: list[Path], tmp_path: Path
) -> None:
    receive(images)
    out = tmp_path / "out"
    dry = run("export", study_of(images), str(out), "--deidentify", "--dry-run")
    assert (dry.exit_code, out.exists()) == (0, False), dry.stderr
    assert "24 images of SUBJECT-" in dry.stdout
    assert json.loads(run("audit", "list", "--json").stdout) == []
    run("export", study_of(images), str(out), "--deidentify")
    [entry] = json.loads(run("audit", "list", "--json").stdout)
    assert (entry["what"], entry["detail"]) == ("export", f"de-identified, to {out}")
    assert run("export", study_of(images), str(out), "--dry-run").exit_code == 2


def test_images_that_may_show_a_name_stay_behind_and_the_others_go(
    run: Run, receive: Receive, images: list[Path], tmp_path: Path
) -> None:
    for path in images[:2]:
        dataset = dcmread(path)
        dataset.BurnedInAnnotation = "YES"
        dataset.save_as(path)
    receive(images)
    done = run("export", study_of(images), str(tmp_path / "out"), "--deidentify")
    assert done.exit_code == 1
    assert "22 images" in done.stdout
    assert "2 images: it has burned-in annotation" in done.stderr
    assert len(files_in(tmp_path / "out")) == 22


def test_a_study_of_two_patients_is_not_exported(
    run: Run, receive: Receive, images: list[Path], tmp_path: Path
) -> None:
    other = dcmread(images[0])
    other.PatientID = "MRN-55-2"
    other.save_as(images[0])
    receive(images)
    done = run("export", study_of(images), str(tmp_path / "out"), "--deidentify")
    assert (done.exit_code, (tmp_path / "out").exists()) == (1, False)
    assert "several patients" in done.stderr


def test_a_file_that_went_is_counted_and_named(
    run: Run, receive: Receive, images: list[Path], tmp_path: Path
) -> None:
    receive(images)
    next((tmp_path / "data" / "archive").rglob("*.dcm")).unlink()
    done = run("export", study_of(images), str(tmp_path / "out"), "--deidentify")
    assert (done.exit_code, "23 images" in done.stdout) == (1, True)
    assert "1 images: it cannot be read" in done.stderr


# The key


def test_the_key_is_made_once_for_the_nodes_user_alone(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(research_key, [tmp_path] * 8))
    assert len(keys) == 1
    [path] = tmp_path.iterdir()
    assert (path.name, stat.S_IMODE(path.stat().st_mode)) == ("deidentify.key", 0o600)
    assert research_key(tmp_path) in keys
    (tmp_path / "elsewhere").mkdir()
    assert research_key(tmp_path / "elsewhere") not in keys


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 64, b"00" * 31])
def test_a_damaged_key_is_named_and_never_made_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "deidentify.key").write_bytes(content)
    with pytest.raises(NodeError, match="restore it from the backup"):
        research_key(tmp_path)
    assert (tmp_path / "deidentify.key").read_bytes() == content


# The process


def test_the_process_that_decodes_sees_no_more_than_it_needs(images: list[Path], tmp_path: Path) -> None:
    try:
        version()
    except OSError as error:
        pytest.skip(f"this kernel has no Landlock: {error}")
    inside, outside = tmp_path / "archive" / "one.dcm", tmp_path / "elsewhere" / "one.dcm"
    (tmp_path / "out").mkdir()
    for path in (inside, outside):
        path.parent.mkdir()
        path.write_bytes(images[0].read_bytes())
    folders = (str(inside.parent),), (str(tmp_path / "out"),), (str(tmp_path),)
    targets = [str(tmp_path / name / "new.dcm") for name in ("out", "out", "elsewhere")]
    files = tuple(zip(map(str, (inside, outside, inside)), targets, strict=True))
    order = Order("00" * 32, "somebody", files, *folders, confined=True)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "dicom_node.deidentify.process"],
        input=order.as_json() + "\n", capture_output=True, encoding="utf-8", timeout=60, check=True,
    )  # fmt: skip
    reasons = [Answer.from_json(line).left_out for line in done.stdout.splitlines()]
    assert [bool(reason) for reason in reasons] == [False, True, True]
    assert all("Permission denied" in reason for reason in reasons[1:])
    assert [path.name for path in outside.parent.iterdir()] == ["one.dcm"]
