"""The node is killed, its PACS is down, its model is broken: nothing is lost, and everything is said."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import BasicTextSRStorage, Comprehensive3DSRStorage

from dicom_node.delivery.sender import find_files, send_files
from models.manifest import WEIGHTS_NAME
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from tests.e2e.node import ServedNode, study_uid
from tests.peers import Orthanc, free_port

pytestmark = [pytest.mark.slow, pytest.mark.peers("Orthanc")]

SMALL = Scan(slices=7, phases=10, matrix=(72, 72))


def _destination(port: int) -> dict[str, object]:
    return {"name": "pacs", "host": "127.0.0.1", "port": port, "ae_title": Orthanc.ae_title}


def _study(folder: Path, seed: int) -> list[Path]:
    folder.mkdir(parents=True)
    return write_dicom(render(draw_heart(seed), SMALL), folder, Layout.SIEMENS)


def _send(node: ServedNode, files: list[Path]) -> None:
    found, _ = find_files(files)
    results = send_files(found, ("127.0.0.1", node.port), node.ae_title, "TEST", lambda _: None)
    assert {result.status for result in results} == {0x0000}


@pytest.fixture
def pacs(tmp_path: Path) -> Iterator[Orthanc]:
    with Orthanc(tmp_path / "orthanc") as orthanc:
        yield orthanc


def test_a_node_killed_while_a_study_runs_finishes_it_after_the_restart(
    tmp_path: Path, pacs: Orthanc
) -> None:
    files = _study(tmp_path / "study", 1)
    node = ServedNode(tmp_path / "node", light=True, destinations=[_destination(pacs.dicom_port)])
    node.start()
    _send(node, files)
    node.settled(study_uid(files), "ready")
    node.kill()

    mark = node.mark()
    node.start()
    node.settled(study_uid(files), "delivered", since=mark)
    written = {report.SOPClassUID for report in pacs.datasets("SR")}
    assert written == {BasicTextSRStorage, Comprehensive3DSRStorage}
    assert len(pacs.datasets("SR")) == 2
    assert node.stop() == 0


def test_results_wait_for_a_pacs_that_is_down(tmp_path: Path, pacs: Orthanc) -> None:
    files = _study(tmp_path / "study", 2)
    pacs.stop()
    with ServedNode(tmp_path / "node", light=True, destinations=[_destination(pacs.dicom_port)]) as node:
        _send(node, files)
        node.wait_for("destination-down")
        view = node.show(study_uid(files))
        assert view["job"]["state"] == "delivering"
        assert "nobody answers" in view["deliveries"][0]["comment"]

        pacs.start()
        node.settled(study_uid(files), "delivered")
        assert len(pacs.instances()) == len(view["deliveries"])


def test_a_pacs_that_refuses_us_is_said_to(tmp_path: Path, pacs: Orthanc) -> None:
    files = _study(tmp_path / "study", 3)
    wrong = _destination(pacs.dicom_port) | {"ae_title": "SOMEONEELSE"}
    with ServedNode(tmp_path / "node", light=True, destinations=[wrong]) as node:
        _send(node, files)
        line = node.wait_for("destination-down")
        assert "SOMEONEELSE" in line["reason"]
        assert node.show(study_uid(files))["job"]["state"] == "delivering"
        assert node.run("echo", "pacs").returncode == 4


def test_weights_that_are_not_the_manifests_fail_the_study_and_nothing_else(tmp_path: Path) -> None:
    files = _study(tmp_path / "study", 4)
    node = ServedNode(tmp_path / "node", light=True)
    weights = node.folder / "bundle" / WEIGHTS_NAME
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + b"x")
    with node:
        _send(node, files)
        line = node.settled(study_uid(files), "failed")
        assert "not the file its manifest names" in line["reason"]
        assert node.run("doctor").returncode == 1
        assert node.run("status").returncode == 1

        weights.write_bytes(whole)
        mark = node.mark()
        assert node.run("retry", study_uid(files)).returncode == 0
        node.settled(study_uid(files), "delivered", since=mark)


def test_a_receiver_that_dies_is_replaced_and_the_worker_too(tmp_path: Path) -> None:
    first, second = _study(tmp_path / "first", 5), _study(tmp_path / "second", 6)
    port = free_port()
    with ServedNode(tmp_path / "node", light=True, receive={"port": port, "disk_reserve_mb": 0}) as node:
        _send(node, first)
        node.settled(study_uid(first), "delivered")
        mark = node.mark()
        for child in Path(f"/proc/{node.pid}/task/{node.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
        node.wait_for("receiver-listening", since=mark)
        _send(node, second)
        node.settled(study_uid(second), "delivered", since=mark)
        assert json.loads(node.run("status", "--json").stdout)["jobs"] == {"delivered": 2}


def test_a_second_node_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with ServedNode(tmp_path / "node", light=True) as node:
        done = node.run("serve")
        assert done.returncode == 1
        assert f"process {node.pid}" in done.stderr.replace("\n", " ")
        status = json.loads(node.run("status", "--json").stdout)
        assert (status["pid"], status["port"]) == (node.pid, node.port)


def test_a_database_that_cannot_be_written_keeps_the_node_from_starting(tmp_path: Path) -> None:
    with ServedNode(tmp_path / "node", light=True) as node:
        pass
    database = tmp_path / "node" / "data" / "node.db"
    database.write_bytes(b"this is not a database" * 100)
    done = node.run("serve")
    assert done.returncode == 1
    assert "database" in done.stderr


def test_a_late_image_beside_the_cine_changes_no_report(tmp_path: Path, pacs: Orthanc) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    files = write_dicom(render(draw_heart(7), SMALL), folder, Layout.GE, with_companions=True)
    cine = [path for path in files if "SAX" in dcmread(path, stop_before_pixels=True).SeriesDescription]
    beside = [path for path in files if path not in cine]
    assert (len(cine), len(beside)) == (70, 23)
    with ServedNode(tmp_path / "node", light=True, destinations=[_destination(pacs.dicom_port)]) as node:
        _send(node, cine)
        node.settled(study_uid(files), "delivered")
        before = sorted(pacs.instances())

        mark = node.mark()
        _send(node, beside)
        node.settled(study_uid(files), "delivered", since=mark)
        assert sorted(pacs.instances()) == before
        assert "the report stands" in [event["reason"] for event in node.show(study_uid(files))["events"]][-2]
