"""What the receiver cannot do once it hears strangers, asked of a process confined as it is, and of itself."""

import json
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dicom_node.config_sections import ModelSettings, ReceiveSettings, TlsSettings
from dicom_node.operate.confinement import confinement_findings
from dicom_node.operate.finding import Level
from dicom_node.receiver.process import receiver_settings
from tests.dicom_node.receiving import Receiver, Sent, receiver, send

TRIES = """
import json, os, resource, socket, subprocess, sys, threading
from pathlib import Path
from dicom_node.receiver.confined import confine, seal
from dicom_node.receiver.settings import ReceiverSettings

settings = ReceiverSettings.from_json(sys.stdin.readline())
data, callee = settings.archive_root.parent, int(sys.argv[1])
sealed = threading.Event()
lacks = {one.name: one.lack for one in confine(settings)}

def said(act):
    try:
        return str(act())
    except (OSError, MemoryError) as error:
        return type(error).__name__

def run():
    return subprocess.run(["/bin/true"]).returncode

def early():
    sealed.wait()
    found["an older thread: socket"] = said(lambda: socket.socket())
    found["an older thread: run"] = said(run)

found = {"run before": said(run)}
older = threading.Thread(target=early)
older.start()
listening = socket.create_server(("127.0.0.1", 0))
found["call"] = said(lambda: socket.create_connection(("127.0.0.1", callee), timeout=5))
lacks |= {one.name: one.lack for one in seal(settings)}
sealed.set()
older.join()
found |= {
    "socket": said(lambda: socket.socket()),
    "datagram": said(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
    "run": said(run),
    "write into the archive": said(lambda: (data / "archive" / "new").write_text("new")),
    "read the database": said(lambda: (data / "node.db").read_text()),
    "change the database": said(lambda: (data / "node.db").write_text("changed")),
    "write beside the archive": said(lambda: (data / "new").write_text("new")),
    "read the key": said(lambda: (data.parent / "tls" / "key.pem").read_text()),
    "replace the key": said(lambda: (data.parent / "tls" / "key.pem").write_text("changed")),
    "signal the parent": said(lambda: os.kill(os.getppid(), 0)),
    "take memory": said(lambda: len(bytearray(1_300_000_000))),
    "core": str(resource.getrlimit(resource.RLIMIT_CORE)),
    "files": str(resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
}
print(json.dumps([lacks, found]))
"""
NO = "PermissionError"
Tried = tuple[dict[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """What lacks here, and what each try came to."""
    site = tmp_path_factory.mktemp("site")
    for folder in ("data/archive", "tls"):
        (site / folder).mkdir(parents=True)
    for name in ("data/node.db", "tls/key.pem", "tls/chain.pem"):
        (site / name).write_text("as it was")
    receive = ReceiveSettings(max_associations=4, max_object_mb=100)
    tls = TlsSettings(certificate=site / "tls" / "chain.pem", key=site / "tls" / "key.pem")
    asked = receiver_settings(receive, site / "data" / "archive", tls).as_json()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [sys.executable, "-c", TRIES, str(listening.getsockname()[1])]
        done = subprocess.run(command, input=asked, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    lacks, found = json.loads(done.stdout)
    return lacks, found


def needs(lacks: dict[str, str], word: str) -> None:
    """Skip where the system does not have the protection, with its reason."""
    [(name, lack)] = [(name, lack) for name, lack in lacks.items() if word in name]
    if lack:
        pytest.skip(f"{name}: {lack}")


def test_nobody_can_be_called_and_no_program_started_not_even_by_a_thread_that_ran_before(
    tried: Tried,
) -> None:
    lacks, found = tried
    needs(lacks, "no other program")
    assert found["run before"] == "0", "the try itself is sound"
    tries = ("call", "socket", "datagram", "run", "an older thread: socket", "an older thread: run")
    assert {name: found[name] for name in tries} == dict.fromkeys(tries, NO)


def test_the_archive_alone_can_be_changed(tried: Tried) -> None:
    lacks, found = tried
    needs(lacks, "archive")
    assert found["write into the archive"] == "3"
    changes = ("change the database", "write beside the archive", "replace the key")
    assert {name: found[name] for name in changes} == dict.fromkeys(changes, NO)


def test_certificates_can_be_read_and_the_database_cannot(tried: Tried) -> None:
    lacks, found = tried
    needs(lacks, "archive")
    assert (found["read the key"], found["read the database"]) == ("as it was", NO)


def test_memory_files_and_core_dumps_are_bounded_by_what_its_settings_can_need(tried: Tried) -> None:
    _, found = tried
    assert (found["take memory"], found["core"]) == ("MemoryError", "(0, 0)")
    assert int(found["files"]) <= 1044


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver(tmp_path_factory.mktemp("node") / "archive") as running:
        yield running


def test_the_real_one_is_confined_in_every_thread_and_receives(
    node: Receiver, tried: Tried, tmp_path: Path
) -> None:
    needs(tried[0], "no other program")
    assert send(node.port, Sent(), tmp_path).Status == 0x0000
    tasks = list(Path(f"/proc/{node.process.pid}/task").iterdir())
    assert len(tasks) > 1
    for task in tasks:
        lines = (task / "status").read_text().splitlines()
        state = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        assert (state["NoNewPrivs"], state["Seccomp"]) == ("1", "2")
        assert int(state["CapEff"], 16) & ~(1 << 10) == 0
    assert resource.prlimit(node.process.pid, resource.RLIMIT_CORE) == (0, 0)


def test_an_unconfined_one_receives_too(tmp_path: Path) -> None:
    with receiver(tmp_path / "archive", confined=False) as free:
        assert send(free.port, Sent(), tmp_path).Status == 0x0000
        assert "Seccomp:\t0" in Path(f"/proc/{free.process.pid}/status").read_text()


def test_doctor_says_what_holds_here(tried: Tried, tmp_path: Path) -> None:
    missing = any(tried[0].values())
    found = confinement_findings(ReceiveSettings(), ModelSettings(), TlsSettings(), tmp_path / "archive")
    findings = [finding for finding in found if finding.what == "receiver"]
    assert [finding.level for finding in findings].count(Level.WARNING) == missing
    assert "archive and requests alone writable" in " ".join(finding.found for finding in findings)
    assert not (tmp_path / "archive").exists(), "looking changes nothing"
