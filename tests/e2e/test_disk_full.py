"""A disk of 64 MB fills while images come in, and while a report is written; then there is room again."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread

from dicom_node.archive import Archive
from dicom_node.delivery.sender import find_files, send_files
from dicom_node.intake.on_disk import dataset_digest
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from tests.e2e.node import ServedNode, study_uid
from tests.peers.small_disk import fill, small_disk

pytestmark = pytest.mark.slow

SMALL = Scan(slices=7, phases=10, matrix=(72, 72))
RESERVE = 8_000_000
OUT_OF_RESOURCES = 0xA700


@pytest.fixture
def node(tmp_path: Path) -> Iterator[ServedNode]:
    """A node whose data lie on the small disk."""
    with (
        small_disk(tmp_path / "node" / "data", 64),
        ServedNode(tmp_path / "node", light=True, receive={"disk_reserve_mb": RESERVE // 1_000_000}) as node,
    ):
        yield node


def _study(folder: Path, seed: int) -> list[Path]:
    folder.mkdir()
    return write_dicom(render(draw_heart(seed), SMALL), folder, Layout.SIEMENS)


def _send(node: ServedNode, files: list[Path]) -> dict[Path, int | None]:
    """Each file's status."""
    found, _ = find_files(files)
    results = send_files(found, ("127.0.0.1", node.port), node.ae_title, "TEST", lambda _: None)
    return {result.path: result.status for result in results}


def _digests(files: list[Path]) -> set[str]:
    return {dataset_digest(file) for file in files}


def _archived(node: ServedNode) -> set[str]:
    archive = Archive(node.folder / "data" / "archive", 0)
    return {dataset_digest(archive.open(path)) for path in archive.paths()}


def test_nothing_accepted_is_lost_and_every_study_ends_with_one_report(
    node: ServedNode, tmp_path: Path
) -> None:
    disk = node.folder / "data"
    first, second = _study(tmp_path / "first", 1), _study(tmp_path / "second", 2)

    ballast = fill(disk, RESERVE + 400_000)
    statuses = _send(node, first)
    accepted = [path for path, status in statuses.items() if status == 0x0000]
    refused = [path for path, status in statuses.items() if status == OUT_OF_RESOURCES]
    assert accepted
    assert refused
    assert len(accepted) + len(refused) == len(first)
    assert _archived(node) == _digests(accepted)
    node.wait_for("disk-full")
    assert node.run("status").returncode == 1
    assert "refused with 0xA700" in node.run("doctor").stdout

    ballast.unlink()
    node.wait_for("disk-has-room")
    assert set(_send(node, refused).values()) == {0x0000}
    node.settled(study_uid(first), "delivered")
    moves = [event["to_state"] for event in node.show(study_uid(first))["events"]]
    assert "rejected" not in moves, "what was refused is waited for"
    assert moves.count("running") == 1

    assert set(_send(node, second).values()) == {0x0000}
    ballast = fill(disk, 1_000_000)
    node.wait_for("waiting-for-room", study=study_uid(second))
    assert node.show(study_uid(second))["job"]["state"] == "ready"
    ballast.unlink()
    node.settled(study_uid(second), "delivered")

    assert _archived(node) == _digests([*first, *second])
    for uid in (study_uid(first), study_uid(second)):
        current = [one for one in node.show(uid)["results"] if one["current"]]
        assert [one["kind"] for one in current].count("sr") == 1
        for one in current:
            file = disk / "results" / one["path"]
            assert hashlib.sha256(file.read_bytes()).hexdigest() == one["digest"]
            assert dcmread(file, stop_before_pixels=True).StudyInstanceUID == uid
    assert list(disk.rglob(".tmp-*")) == []
