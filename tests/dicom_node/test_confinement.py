"""What a confined process cannot do, asked of one: no network, no database, an archive that stays as it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dicom_node.config_sections import ModelSettings, ReceiveSettings, TlsSettings
from dicom_node.confinement.landlock import version
from dicom_node.operate.confinement import confinement_findings
from dicom_node.operate.finding import Finding, Level

TRIES = """
import json, os, resource, socket, sys
from pathlib import Path
from dicom_node.analysis.confinement import confine
from dicom_node.confinement import Folders
data = Path(sys.argv[1])
lacks = {one.name: one.lack for one in confine(Folders((data / "archive",), (data / "results",), (data,)), 512)}

def said(act):
    try:
        return str(act())
    except (OSError, MemoryError) as error:
        return type(error).__name__

found = {
    "connect": said(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=5)),
    "datagram": said(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
    "read the archive": said(lambda: (data / "archive" / "image").read_text()),
    "change the archive": said(lambda: (data / "archive" / "image").write_text("changed")),
    "add to the archive": said(lambda: (data / "archive" / "new").write_text("new")),
    "remove from the archive": said(lambda: (data / "archive" / "image").unlink()),
    "read the database": said(lambda: (data / "node.db").read_text()),
    "read the configuration": said(lambda: (data / "config.yaml").read_text()),
    "write results": said(lambda: (data / "results" / "new").write_text("new")),
    "write elsewhere": said(lambda: (data.parent / "elsewhere").write_text("new")),
    "take memory": said(lambda: len(bytearray(600_000_000))),
    "signal the parent": said(lambda: os.kill(os.getppid(), 0)),
    "core": str(resource.getrlimit(resource.RLIMIT_CORE)),
}
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(json.dumps([lacks, found, {key: status[key].strip() for key in ("CapEff", "CapBnd", "NoNewPrivs")}]))
"""
NO = "PermissionError"


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """What lacks here, what each try came to, and how the kernel sees the process."""
    import socket

    data = tmp_path_factory.mktemp("site") / "data"
    for folder in ("archive", "results"):
        (data / folder).mkdir(parents=True)
    for name in ("archive/image", "node.db", "config.yaml"):
        (data / name).write_text("as it was")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-c", TRIES, str(data), port], capture_output=True, encoding="utf-8", check=False
        )
    assert done.returncode == 0, done.stderr
    assert (data / "archive" / "image").read_text() == "as it was" or "archive" in done.stdout
    lacks, found, kernel = json.loads(done.stdout)
    return lacks, found, kernel


def needs(lacks: dict[str, str], word: str) -> None:
    """Skip where the system does not have the protection, with its reason."""
    [(name, lack)] = [(name, lack) for name, lack in lacks.items() if word in name]
    if lack:
        pytest.skip(f"{name}: {lack}")


def test_there_is_no_network(tried: tuple[dict[str, str], ...]) -> None:
    lacks, found, _ = tried
    needs(lacks, "network")
    assert (found["connect"], found["datagram"]) == (NO, NO)


def test_the_archive_can_be_read_and_not_changed(tried: tuple[dict[str, str], ...]) -> None:
    lacks, found, _ = tried
    needs(lacks, "archive")
    assert found["read the archive"] == "as it was"
    changes = ("change the archive", "add to the archive", "remove from the archive")
    assert {found[change] for change in changes} == {NO}


def test_database_and_configuration_stay_closed_and_results_open(tried: tuple[dict[str, str], ...]) -> None:
    lacks, found, _ = tried
    needs(lacks, "archive")
    assert {found[place] for place in ("read the database", "read the configuration")} == {NO}
    assert found["write elsewhere"] == NO
    assert found["write results"] == "3"


def test_nobody_outside_can_be_signalled(tried: tuple[dict[str, str], ...]) -> None:
    lacks, found, _ = tried
    needs(lacks, "archive")
    if version() < 6:
        pytest.skip(f"Landlock {version()} has no scopes")
    assert found["signal the parent"] == NO


def test_memory_core_dumps_and_privileges_are_bounded(tried: tuple[dict[str, str], ...]) -> None:
    lacks, found, kernel = tried
    needs(lacks, "capability")
    assert (found["take memory"], found["core"]) == ("MemoryError", "(0, 0)")
    assert int(kernel["CapEff"], 16) == 0
    assert kernel["NoNewPrivs"] == "1"


def test_doctor_says_what_holds_here(tried: tuple[dict[str, str], ...]) -> None:
    missing = [name for name, lack in tried[0].items() if lack]
    findings = findings_about("worker")
    text = " ".join(finding.found for finding in findings)
    assert [finding.level for finding in findings].count(Level.WARNING) == bool(missing)
    assert "no network" in text


@pytest.mark.parametrize("process", ["worker", "receiver"])
def test_doctor_warns_of_a_process_that_is_not_confined(process: str) -> None:
    [off] = findings_about(process, confined=False)
    assert (off.level, "confined to true" in off.advice) == (Level.WARNING, True)


def findings_about(process: str, *, confined: bool = True) -> list[Finding]:
    receive, model = ReceiveSettings(confined=confined), ModelSettings(confined=confined)
    found = confinement_findings(receive, model, TlsSettings(), Path("archive"))
    return [finding for finding in found if finding.what == process]
