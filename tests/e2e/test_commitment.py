"""A scanner that asked whether its images are kept is told, whatever happens to the node in between."""

import os
import signal
from pathlib import Path

import pytest
from pydicom import dcmread

from dicom_node.delivery.sender import find_files, send_files
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from tests.dicom_node.committing_node import Scanner, ask
from tests.e2e.light_bundle import light_bundle
from tests.e2e.node import ServedNode
from tests.peers import free_port

pytestmark = pytest.mark.slow


def test_a_node_killed_after_its_answer_reports_when_it_is_started_again(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    scan = Scan(slices=3, phases=4, matrix=(24, 24))
    files = write_dicom(render(draw_heart(3), scan), tmp_path / "study", Layout.SIEMENS)
    named = [(str(one.SOPClassUID), str(one.SOPInstanceUID)) for one in map(dcmread, files)]
    scanner, port = Scanner(), free_port()
    receive = {"port": free_port(), "disk_reserve_mb": 0, "callers": [{"ae_title": "SCANNER", "port": port}]}
    model = {"bundle": str(light_bundle(tmp_path / "bundle")), "frugal": True}
    node = ServedNode(tmp_path / "node", receive=receive, complete={"quiet_s": 600.0}, model=model)
    node.start()
    found, _ = find_files(files)
    send_files(found, ("127.0.0.1", node.port), node.ae_title, "SCANNER", lambda _: None)
    os.kill(node.pid, signal.SIGSTOP)  # so that nothing is reported yet: the receiver answers alone
    with scanner.asking(node.port) as opened:
        assert ask(opened, "2.25.1", named) == 0
        node.kill()
    assert scanner.reports.empty()
    with scanner.listening(port):
        node.start()
        kind, report = scanner.report()
        node.wait_for("commitment-reported", calling="SCANNER")
    node.kill()
    assert (kind, report.transaction_uid) == (1, "2.25.1")
    assert set(report.committed) == {uid for _, uid in named}
