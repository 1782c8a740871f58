"""A scanner asks whether we keep its images: what is promised, what is not, and that it is told."""

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydicom import dcmread

from dicom_node import commitment
from dicom_node.archive.commitment_requests import (
    CommitmentRequest,
    Progress,
    RequestFiles,
    Standing,
    requests_beside,
)
from dicom_node.committing import calling
from dicom_node.config_sections import Caller
from dicom_node.receiver import commitments
from tests.dicom_node.committing_node import CommittingNode, Scanner, act, ask
from tests.dicom_node.delivering import START
from tests.dicom_node.receiving import MR_IMAGE, SECONDARY_CAPTURE, Sent, association, element, store
from tests.peers import Orthanc, free_port, until

OURS = element(0x0008, 0x1090, b"LO", b"dicom-node")


def image(instance: str, extra: bytes = b"", sop_class: str = MR_IMAGE) -> Sent:
    """An object that can be filed: it says of which series it is."""
    series = element(0x0020, 0x000E, b"UI", b"1.2.4")
    return Sent(instance=instance, extra=extra + series, sop_class=sop_class)


IMAGES = [image(f"1.2.3.{number}") for number in (1, 2, 3)]
NAMED = [(MR_IMAGE, one.instance) for one in IMAGES]
UNKNOWN = (MR_IMAGE, "1.2.3.99")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommittingNode]:
    """A node that holds the images; nobody has a port."""
    folder = tmp_path_factory.mktemp("node")
    with CommittingNode(folder / "data") as running:
        running.keep(folder, *IMAGES)
        yield running


@pytest.fixture
def transaction() -> str:
    """One that nobody has used."""
    return f"2.25.{uuid.uuid4().int}"


def altered(path: Path) -> None:
    """One bit of the pixels flips."""
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)


def request(transaction: str) -> CommitmentRequest:
    """As the receiver writes it down."""
    return CommitmentRequest(transaction, "SCANNER", "192.0.2.1", "", datetime.now(UTC), tuple(NAMED))


def kept_of(transaction: str, node: CommittingNode) -> list[str]:
    """The requests with this transaction that wait in the node's folder."""
    _, used, _ = request(transaction).name.split("-")
    return [name for name in node.files.names() if name.split("-")[1] == used]


def test_a_scanner_that_stays_is_told_on_its_own_association(node: CommittingNode, transaction: str) -> None:
    scanner = Scanner()
    with scanner.asking(node.port) as opened:
        assert ask(opened, transaction, NAMED) == commitment.SUCCESS
        kind, report = scanner.report()
        assert node.event("commitment-told")["status"] == 0
        assert ask(opened, f"{transaction}2", NAMED[:1]) == commitment.SUCCESS  # the association goes on
        assert scanner.report()[1].transaction_uid == f"{transaction}2"
    assert kind == commitment.COMPLETE
    assert (report.transaction_uid, report.committed) == (transaction, ("1.2.3.1", "1.2.3.2", "1.2.3.3"))
    assert report.failed == {}
    assert scanner.reports.empty()


def test_images_and_the_question_may_share_an_association(
    node: CommittingNode, transaction: str, tmp_path: Path
) -> None:
    scanner, late = Scanner(), image("1.2.3.4")
    with association(node.port, late) as sending, scanner.asking(node.port) as opened:
        assert store(sending, late, tmp_path).Status == 0
        assert ask(opened, transaction, [(MR_IMAGE, late.instance)]) == 0  # before its row can be there
        assert scanner.report()[1].committed == (late.instance,)


def test_only_what_is_here_as_it_came_is_promised(
    node: CommittingNode, transaction: str, tmp_path: Path
) -> None:
    changed, lost, picture, ours = (f"1.2.3.5.{number}" for number in range(4))
    kept = [image(changed), image(lost), image(picture, sop_class=SECONDARY_CAPTURE), image(ours, OURS)]
    node.keep(tmp_path, *kept)
    altered(node.file_of(changed))
    node.file_of(lost).unlink()
    scanner = Scanner()
    asked = [NAMED[0], UNKNOWN, *((one.sop_class, one.instance) for one in kept)]
    with scanner.asking(node.port) as opened:
        assert ask(opened, transaction, asked) == commitment.SUCCESS
        kind, report = scanner.report()
    assert kind == commitment.INCOMPLETE
    assert report.committed == ("1.2.3.1",)
    assert report.failed == {
        changed: commitment.PROCESSING_FAILURE,
        lost: commitment.NO_SUCH_OBJECT,
        "1.2.3.99": commitment.NO_SUCH_OBJECT,
        picture: commitment.CLASS_NOT_COMMITTED,
        ours: commitment.NO_SUCH_OBJECT,
    }


def test_another_class_than_came_is_a_conflict(node: CommittingNode, transaction: str) -> None:
    scanner = Scanner()
    with scanner.asking(node.port) as opened:
        ask(opened, transaction, [(SECONDARY_CAPTURE, "1.2.3.1"), NAMED[1]])
        _, report = scanner.report()
    assert report.failed == {"1.2.3.1": commitment.CLASS_CONFLICT}
    assert report.committed == ("1.2.3.2",)


def test_what_retention_has_retired_is_not_promised_even_while_the_file_lies_there(
    node: CommittingNode, transaction: str, tmp_path: Path
) -> None:
    retired = image("1.2.3.6")
    node.keep(tmp_path, retired)
    with sqlite3.connect(node.settings.data_dir / "node.db") as database:
        removed = "UPDATE instances SET removed_at = '2026-01-01 00:00:00' WHERE sop_instance_uid = '1.2.3.6'"
        assert database.execute(removed).rowcount == 1
    database.close()
    scanner = Scanner()
    with scanner.asking(node.port) as opened:
        ask(opened, transaction, [*NAMED, (MR_IMAGE, retired.instance)])
        assert scanner.report()[1].failed == {retired.instance: commitment.NO_SUCH_OBJECT}
    assert node.file_of(retired.instance).exists()


def test_a_transaction_that_is_used_again_for_other_objects_fails_whole_and_the_same_again_does_not(
    node: CommittingNode,
    transaction: str,
) -> None:
    scanner = Scanner()
    with scanner.asking(node.port) as opened:
        ask(opened, transaction, NAMED[:2])
        assert scanner.report()[1].failed == {}
        ask(opened, transaction, NAMED)
        assert set(scanner.report()[1].failed.values()) == {commitment.TRANSACTION_IN_USE}
        ask(opened, transaction, NAMED[1::-1])
        assert scanner.report()[1].failed == {}
    with scanner.asking(node.port, "ANOTHER") as opened:
        ask(opened, transaction, NAMED)
        assert scanner.report()[1].failed == {}  # whose transactions are its own


def test_a_scanner_that_hangs_up_is_called_at_its_port_and_asked_again_until_it_answers(
    tmp_path: Path,
) -> None:
    scanner, port = Scanner(), free_port()
    with CommittingNode(tmp_path / "data", [{"ae_title": "SCANNER", "port": port}]) as node:
        node.keep(tmp_path, *IMAGES)
        with scanner.asking(node.port) as opened:
            scanner.status = 0x0110
            assert ask(opened, "2.25.1", [*NAMED, UNKNOWN]) == commitment.SUCCESS
            first = scanner.report()
        waiting = node.noted(Standing.WAITING)
        assert f"nobody answers at 127.0.0.1:{port}" in waiting.comment
        assert waiting.comment.endswith("the address the request came from")
        scanner.status = 0x0000
        with scanner.listening(port):
            again = scanner.report()
        done = node.noted(Standing.REPORTED)
    assert again == first
    assert again[1].committed == ("1.2.3.1", "1.2.3.2", "1.2.3.3")
    assert done.comment.startswith("3 of 4 committed, reported 127.0.0.1:")


def test_what_was_promised_an_answer_gets_it_from_the_node_that_is_started_next(tmp_path: Path) -> None:
    scanner = Scanner()
    with scanner.listening():
        callers = [{"ae_title": "SCANNER", "ip": "127.0.0.1", "port": scanner.port}]
        with CommittingNode(tmp_path / "data", callers, answers=False) as node:
            node.keep(tmp_path, *IMAGES)
            with scanner.asking(node.port) as opened:
                assert ask(opened, "2.25.1", NAMED) == commitment.SUCCESS
        assert scanner.reports.empty()
        altered(next((tmp_path / "data" / "archive").rglob("*.dcm")))
        with CommittingNode(tmp_path / "data", callers):
            _, report = scanner.report()
    assert len(report.committed) == 2  # the verdict is of the moment of the report
    assert set(report.failed.values()) == {commitment.PROCESSING_FAILURE}


def test_a_caller_that_hung_up_and_has_no_port_waits_is_given_up_and_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    scanner = Scanner()
    with CommittingNode(tmp_path / "data", [{"ae_title": "SCANNER"}], lambda: now[0], answers=False) as node:
        node.keep(tmp_path, IMAGES[0])
        with scanner.asking(node.port) as opened:
            assert ask(opened, "2.25.1", NAMED[:1]) == commitment.SUCCESS
        (name,) = node.files.names()
        now[0] = node.files.read(name).asked_at
        reporting = node.clerk._reporting
        node.event("closed")
        reporting.attempt(name)
        waiting = node.noted(Standing.WAITING)
        assert waiting.comment.endswith("receive.callers names no port for SCANNER")
        assert not reporting.is_due(name)
        now[0] += timedelta(hours=72)
        assert reporting.is_due(name)
        reporting.attempt(name)
        assert node.noted(Standing.GIVEN_UP).comment == waiting.comment
    assert node.files.names() == []
    assert "commitment-given-up" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("objects", "status"),
    [
        (
            [(MR_IMAGE, f"1.2.3.{number}") for number in range(commitment.MOST_OBJECTS + 1)],
            commitment.RESOURCES,
        ),
        ([], commitment.INVALID_VALUE),
        ([(MR_IMAGE, "")], commitment.INVALID_VALUE),
        ([(MR_IMAGE, "1" * 65)], commitment.INVALID_VALUE),
    ],
    ids=["too many", "none", "no UID", "a long UID"],
)
def test_a_request_out_of_bounds_is_refused_and_leaves_nothing(
    node: CommittingNode, transaction: str, objects: list[tuple[str, str]], status: int
) -> None:
    scanner = Scanner()
    with scanner.asking(node.port) as opened:
        assert ask(opened, transaction, objects) == status
        assert kept_of(transaction, node) == []
        assert ask(opened, transaction, NAMED) == commitment.SUCCESS
        assert scanner.report()[0] == commitment.COMPLETE


def test_a_request_that_is_none_is_refused(node: CommittingNode, transaction: str) -> None:
    fine = commitment.request(transaction, NAMED)
    with Scanner().asking(node.port) as opened:
        assert act(opened, fine, kind=2) == commitment.NO_SUCH_ACTION
        assert act(opened, fine, instance="1.2.3") == commitment.NO_SUCH_INSTANCE
        assert act(opened, commitment.request("", NAMED)) == commitment.INVALID_VALUE
    assert kept_of(transaction, node) == []


def test_a_caller_may_have_so_many_questions_open_and_no_more(tmp_path: Path) -> None:
    with CommittingNode(tmp_path / "data", answers=False) as node:
        for number in range(commitments.MOST_OUTSTANDING - 1):
            node.files.keep(request(f"2.25.{number}"))
        with Scanner().asking(node.port) as opened:
            assert ask(opened, "2.25.777", NAMED) == commitment.SUCCESS
            assert ask(opened, "2.25.666", NAMED) == commitment.RESOURCES
            assert ask(opened, "2.25.1", NAMED) == commitment.SUCCESS  # again, which takes no further place
        with Scanner().asking(node.port, "ANOTHER") as opened:
            assert ask(opened, "2.25.666", NAMED) == commitment.SUCCESS


def test_no_name_of_a_caller_or_transaction_reaches_a_path(tmp_path: Path) -> None:
    with CommittingNode(tmp_path / "data", answers=False) as node:
        with Scanner().asking(node.port, "../../SCANNER") as opened:
            assert ask(opened, "../../../2.25.1", NAMED) == commitment.SUCCESS
        (name,) = node.files.names()
        held = requests_beside(node.archive.root)
        assert [path.name for path in held.iterdir()] == [f"{name}.request"]
        kept = json.loads((held / f"{name}.request").read_text())
    assert (kept["calling"], kept["transaction_uid"]) == ("../../SCANNER", "../../../2.25.1")


@pytest.mark.parametrize(
    ("callers", "way"),
    [
        ([], None),
        ([Caller(ae_title="SCANNER")], None),
        ([Caller(ae_title="OTHER", port=104)], None),
        ([Caller(ae_title="SCANNER", ip="192.0.2.9", port=104)], None),
        ([Caller(ae_title="SCANNER", port=104)], "192.0.2.1:104 (the address the request came from)"),
        (
            [Caller(ae_title="SCANNER", port=104), Caller(ae_title="SCANNER", ip="192.0.2.1", port=105)],
            "192.0.2.1:105 (the address in receive.callers)",
        ),
    ],
)
def test_the_way_back_is_the_entry_that_let_the_caller_in(callers: list[Caller], way: str | None) -> None:
    found = calling.way_to(request("2.25.1"), callers)
    assert (str(found) if found else None) == way


@pytest.mark.data
@pytest.mark.peers("Orthanc")
def test_orthanc_asks_for_what_it_sent_and_is_told_on_an_association_of_ours(
    tmp_path: Path, sunnybrook: Callable[[str], list[Path]]
) -> None:
    port = free_port()
    orthanc = Orthanc(tmp_path / "orthanc", callers={"DICOMNODE": port})
    callers = [{"ae_title": orthanc.ae_title, "port": orthanc.dicom_port}]
    with CommittingNode(tmp_path / "data", callers, port=port) as node, orthanc:
        for file in sunnybrook("SC-HF-I-4")[:3]:
            orthanc.post(dcmread(file))
        held = orthanc.instances()
        orthanc.order("/modalities/DICOMNODE/store", held)
        node.event("closed", stored=3)
        named = {str(orthanc.dataset(one).SOPInstanceUID): one for one in held}
        lost = min(named)
        assert node.indexer.wait_idle(30)
        altered(node.file_of(lost))
        asked = orthanc.order("/modalities/DICOMNODE/storage-commitment", {"Resources": held})
        assert node.noted(Standing.REPORTED).comment.startswith("2 of 3 committed, reported 127.0.0.1:")
        report = orthanc.json(asked["Path"])
    assert report["Status"] == "Failure"
    assert {one["SOPInstanceUID"] for one in report["Success"]} == set(named) - {lost}
    (failure,) = report["Failures"]
    assert (failure["SOPInstanceUID"], failure["FailureReason"]) == (lost, commitment.PROCESSING_FAILURE)


def test_what_is_remembered_of_settled_requests_is_bounded_and_ends(tmp_path: Path) -> None:
    files = RequestFiles(tmp_path / "commitments")
    for number in range(5):
        name = files.keep(request(f"2.25.{number}"))
        if number:
            files.note(name, Progress(Standing.REPORTED, "SCANNER", f"2.25.{number}", 3, 1, START, None, ""))
    long_ago, soon = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)
    files.forget(long_ago, 3)
    assert len(list(files.known())) == 3
    files.forget(soon, 3)
    assert list(files.known()) == []
    assert files.names() == [request("2.25.0").name]  # a promise of an answer is not forgotten


def test_a_file_that_is_no_request_is_set_aside_and_stops_no_other(tmp_path: Path) -> None:
    scanner = Scanner()
    with CommittingNode(tmp_path / "data", answers=False) as node:
        with scanner.asking(node.port) as opened:
            ask(opened, "2.25.1", [UNKNOWN])
        (name,) = node.files.names()
        (requests_beside(node.archive.root) / f"{name}.request").write_text('{"calling": "SCANNER"}')
    with CommittingNode(tmp_path / "data") as node, scanner.asking(node.port) as opened:
        ask(opened, "2.25.2", [UNKNOWN])
        assert scanner.report()[1].transaction_uid == "2.25.2"
        assert node.noted(Standing.REPORTED).transaction_uid == "2.25.2"
        until(lambda: node.files.names() == [], "what is no request was set aside")


def test_a_caller_gets_its_own_uids_back_valid_or_not(node: CommittingNode) -> None:
    scanner, odd = Scanner(), [(MR_IMAGE, "1.2.3.007"), (MR_IMAGE, "no UID at all")]
    with scanner.asking(node.port) as opened:
        asked = commitment.report(f"2.25.0{uuid.uuid4().int}", tuple(odd), {})[1]
        assert act(opened, asked) == commitment.SUCCESS
        (_, report) = scanner.report()
    assert report.transaction_uid == asked.TransactionUID
    assert set(report.failed) == {uid for _, uid in odd}
