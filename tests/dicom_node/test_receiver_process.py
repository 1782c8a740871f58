"""The receiver as the node holds it: started, heard, ended, killed; what was acknowledged stays."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from dicom_node.archive import Archive
from dicom_node.archive.draft import can_be_nameless
from dicom_node.config_sections import ReceiveSettings, TlsSettings
from dicom_node.errors import ReceiverFailed
from dicom_node.receiver.process import ReceiverProcess, receiver_settings
from dicom_node.receiver.settings import Caller, ReceiverSettings
from dicom_node.tls import TlsFiles
from tests.dicom_node.receiving import (
    Receiver,
    Sent,
    association,
    data_set_of,
    receiver,
    send,
    store,
)
from tests.peers.dcmtk import Ran, storescu
from tests.peers.presence import program, until

SUCCESS, OUT_OF_RESOURCES = 0x0000, 0xA700


class Sending(threading.Thread):
    """storescu at work in the background."""

    def __init__(self, files: list[Path], port: int, *options: str) -> None:
        super().__init__()
        self._arguments = (files, port, "DICOMNODE", "STORESCU", options)
        self.ran = Ran(-1, "")
        self.start()

    def run(self) -> None:
        self.ran = storescu(*self._arguments)

    def acknowledged(self) -> int:
        self.join()
        return self.ran.statuses.count("Success")


def intact(archive: Archive) -> int:
    """How many instances lie in the archive, each with the digest its name promises."""
    paths = list(archive.paths())
    for path in paths:
        body = data_set_of(archive.open(path))
        assert hashlib.sha256(body).hexdigest()[:16] in path
    return len(paths)


def test_its_settings_come_from_the_configuration_and_survive_the_pipe(tmp_path: Path) -> None:
    receive = ReceiveSettings(
        callers=(
            {"ae_title": "MR 1", "ip": "192.0.2.1"},
            {"ae_title": "PACS", "max_associations": 2, "max_object_mb": 5, "max_objects_per_s": 0.5},
        ),
        max_object_mb=7,
        disk_reserve_mb=3,
    )
    tls = TlsSettings(certificate=tmp_path / "node.pem", key=tmp_path / "node.key")
    made = receiver_settings(receive, tmp_path, tls)
    assert ReceiverSettings.from_json(made.as_json()) == made
    assert made.callers == (Caller("MR 1", "192.0.2.1"), Caller("PACS", "", 2, 5_000_000, 0.5))
    assert (made.max_object_bytes, made.reserve_bytes) == (7_000_000, 3_000_000)
    assert made.archive_root == tmp_path
    assert made.tls_files == TlsFiles(tmp_path / "node.pem", tmp_path / "node.key")


def test_a_port_that_is_taken_is_said_to_be(tmp_path: Path) -> None:
    with receiver(tmp_path / "one") as node:
        second = ReceiverProcess(ReceiveSettings(port=node.port), tmp_path / "two")
        with pytest.raises(
            ReceiverFailed, match=f"cannot listen on 127.0.0.1:{node.port}: Address already in use"
        ):
            second.start()
        assert not second.alive
        assert second.events.empty()


def test_it_ends_with_status_zero_says_so_and_can_be_started_anew(tmp_path: Path) -> None:
    with receiver(tmp_path / "archive") as node:
        assert node.process.alive
        node.process.stop()
        assert node.event("ended")["code"] == 0
        assert not node.process.alive
        node.process.stop()  # twice does no harm
        port = node.port
        node.process.start()
        assert node.port == port
        assert send(node.port, Sent(), tmp_path).Status == SUCCESS


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with receiver(tmp_path / "archive") as node, association(node.port, Sent(), calling="OPEN") as opened:
        assert store(opened, Sent(), tmp_path).Status == SUCCESS
        os.kill(node.process.pid, number)
        assert node.event("closed", calling="OPEN")["how"] == "ended"
        assert node.event("ended")["code"] == 0


def test_it_hears_no_ctrl_c_and_shares_our_part_of_the_cores(tmp_path: Path) -> None:
    with receiver(tmp_path / "archive") as node:
        assert os.getpgid(node.process.pid) == node.process.pid != os.getpgid(0)
        assert os.getsid(node.process.pid) == os.getsid(0)


def test_it_dies_with_the_node_that_started_it(tmp_path: Path) -> None:
    """The parent is killed, not asked; its end of the pipe closes all the same."""
    script = (
        "import sys; from pathlib import Path; from dicom_node.config_sections import ReceiveSettings;"
        "from dicom_node.receiver.process import ReceiverProcess;"
        f"r = ReceiverProcess(ReceiveSettings(port=0), Path({str(tmp_path)!r})); r.start();"
        "print(r.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    until(lambda: not is_running(pid), "the receiver has ended")


def is_running(pid: int) -> bool:
    """Whether the process is there and not merely unburied."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.data
@pytest.mark.peers("storescu")
def test_stopping_in_the_middle_of_a_study_loses_no_acknowledged_image(
    tmp_path: Path, sunnybrook: Callable[[str], list[Path]]
) -> None:
    slow = {"ae_title": "STORESCU", "max_objects_per_s": 20}  # so that the stop comes before the last image
    with receiver(tmp_path / "archive", callers=(slow,)) as node:
        sending = Sending(sunnybrook("SC-HF-I-1"), node.port)
        for _ in range(10):
            node.event("stored")
        node.process.stop()
        assert node.event("ended")["code"] == 0
        acknowledged = sending.acknowledged()
        assert 10 <= acknowledged < 240
        assert intact(node.archive) == acknowledged
        assert node.archive.sweep(node.archive.folders()) == 0


@pytest.mark.data
@pytest.mark.peers("storescu")
def test_what_was_acknowledged_before_a_kill_is_on_the_disk(
    tmp_path: Path, sunnybrook: Callable[[str], list[Path]]
) -> None:
    with receiver(tmp_path / "archive") as node:
        both = [Sending(sunnybrook(patient), node.port) for patient in ("SC-HF-I-1", "SC-HF-I-4")]
        for _ in range(40):
            node.event("stored")
        os.kill(node.process.pid, signal.SIGKILL)
        assert node.event("ended")["code"] == -signal.SIGKILL
        acknowledged = sum(sending.acknowledged() for sending in both)
        assert acknowledged > 20
        node.archive.sweep(node.archive.folders())
    with receiver(tmp_path / "archive") as node:  # which first writes what the journal alone holds
        assert intact(node.archive) >= acknowledged
        assert not list(node.archive.root.rglob(".tmp-*"))
        assert storescu(sunnybrook("SC-HF-I-1")[:20], node.port, "DICOMNODE").statuses == ["Success"] * 20


def test_below_the_reserve_objects_are_refused_until_space_returns(tmp_path: Path) -> None:
    with receiver(tmp_path / "archive", disk_reserve_mb=1_000_000_000) as node:
        sent = Sent()
        answer = send(node.port, sent, tmp_path)
        assert answer.Status == OUT_OF_RESOURCES
        assert node.event("postponed", study=sent.study)["instance"] == sent.instance
        assert re.fullmatch(r"disk: \d+ MB free, reserve is 1000000000 MB", answer.ErrorComment)
    with receiver(tmp_path / "archive") as node:
        assert send(node.port, Sent(), tmp_path).Status == SUCCESS


def steps_of(trace: str) -> list[str]:
    """What strace saw of one object's way to the disk, up to the answer on the wire."""
    names = re.findall(r"\b(fdatasync|linkat|renameat|fsync|sendto)\(", trace)
    return names[names.index("fdatasync") :]


def test_the_answer_follows_the_sync_of_file_and_folder(tmp_path: Path) -> None:
    """Seen from outside, by strace: data synced, named, folder synced, and only then a byte to the sender.

    With a journal: see test_settling.py.
    """
    with receiver(tmp_path / "archive", journal_mb=0) as node, association(node.port, Sent()) as opened:
        assert store(opened, Sent(), tmp_path).Status == SUCCESS
        log = tmp_path / "trace"
        tracer = trace(node, log)
        assert store(opened, Sent(instance="1.9"), tmp_path).Status == SUCCESS
        tracer.terminate()
        tracer.communicate()
    name = "linkat" if can_be_nameless(tmp_path) else "renameat"
    assert steps_of(log.read_text())[:4] == ["fdatasync", name, "fsync", "sendto"]


def trace(node: Receiver, log: Path) -> subprocess.Popen[str]:
    """strace, once it has hold of every thread of the receiver."""
    wanted = "trace=fdatasync,linkat,renameat,fsync,sendto"
    command = [program("strace"), "-f", "-e", wanted, "-o", str(log), "-p", str(node.process.pid)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    if "attached" not in said:
        tracer.communicate()
        pytest.skip(f"processes may not be traced here: {said.strip()}")
    return tracer


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.peers("storescu")
def test_it_stays_small_while_ten_studies_of_three_hundred_images_come_at_once(
    tmp_path: Path, sunnybrook: Callable[[str], list[Path]]
) -> None:
    files = (sunnybrook("SC-HF-I-1") + sunnybrook("SC-HF-I-4"))[:300]
    with receiver(tmp_path / "archive") as node:
        with ExitStack() as senders:
            # each invents UIDs of its own, so that there are ten studies
            sendings = [Sending(files, node.port, "+IR", "1000") for _ in range(10)]
            for sending in sendings:
                senders.callback(sending.join)
        assert [sending.acknowledged() for sending in sendings] == [300] * 10
        status = Path(f"/proc/{node.process.pid}/status").read_text()
        peak_kb = int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0])
        assert peak_kb < 150_000
        assert len(list(node.archive.paths())) == 3000


def test_the_receiver_loads_neither_database_nor_models() -> None:
    heavy = ("sqlalchemy", "pipeline", "SimpleITK", "typer", "tensorflow", "keras", "pydantic", "highdicom")
    script = "import sys, json, dicom_node.receiver.__main__; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", script], text=True))
    assert not {name.split(".")[0] for name in loaded} & set(heavy)
