"""From a scanner's C-STORE to a study that the PACS has committed to, and what happens when it loses a part."""

from pathlib import Path

import pytest

from dicom_node.delivery.sender import find_files, send_files
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from tests.e2e.node import ServedNode, study_uid
from tests.peers import Orthanc, free_port

pytestmark = [pytest.mark.slow, pytest.mark.peers("Orthanc")]


def test_a_study_is_committed_by_orthanc_and_what_it_loses_is_brought_back(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    scan = Scan(slices=7, phases=10, matrix=(72, 72))
    files = write_dicom(render(draw_heart(3), scan), tmp_path / "study", Layout.SIEMENS)
    study, port = study_uid(files), free_port()
    with Orthanc(tmp_path / "orthanc", callers={"DICOMNODE": port}) as pacs:
        place = {"name": "pacs", "host": "127.0.0.1", "port": pacs.dicom_port, "ae_title": pacs.ae_title}
        receive = {"port": port, "disk_reserve_mb": 0}
        with ServedNode(tmp_path / "node", light=True, destinations=[place], receive=receive) as node:
            found, _ = find_files(files)
            send_files(found, ("127.0.0.1", node.port), node.ae_title, "TEST", lambda _: None)
            node.settled(study, "committed")
            proofs = {(one["proof"], one["proof_method"]) for one in node.show(study)["deliveries"]}
            assert proofs == {("proved", "commitment")}
            assert node.run("status").returncode == 0

            held = len(pacs.instances())
            pacs.delete(f"/instances/{pacs.instances()[0]}")
            mark = node.mark()
            assert node.run("reconcile").returncode == 1
            assert len(pacs.instances()) == held - 1
            assert node.run("reconcile", "--resend").returncode == 1
            node.settled(study, "committed", since=mark)
            assert len(pacs.instances()) == held
            assert node.run("reconcile").returncode == 0
            assert node.stop() == 0
