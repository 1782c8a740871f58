"""Reports on commitment that archives bring to the receiver: expected ones are taken, others answered."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom import Dataset
from pynetdicom import AE, build_role
from pynetdicom.association import Association

from dicom_node import commitment
from dicom_node.commitment import BadReport, Report
from dicom_node.conformance import BASIC, COMMITMENT
from tests.dicom_node.receiving import Receiver, Sent, receiver, send

OURS = "2.25.17"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A receiver that expects one report."""
    with receiver(tmp_path_factory.mktemp("archive")) as running:
        running.process.expect(OURS)
        yield running


@contextmanager
def archive_calling(port: int, *, roles: bool) -> Iterator[Association]:
    """An association that an archive opens to report; it proposes itself as SCP, or says nothing about it."""
    ae = AE("ARCHIVE")
    ae.add_requested_context(COMMITMENT, [syntax.uid for syntax in BASIC])
    proposed = [build_role(COMMITMENT, scp_role=True)] if roles else []
    opened = ae.associate("127.0.0.1", port, ae_title="DICOMNODE", ext_neg=proposed)
    assert opened.is_established
    if not roles:  # pynetdicom itself would not report as an SCU; archives do
        for context in opened.accepted_contexts:
            context._as_scp = True
    yield opened
    opened.release()


def information(transaction: str = OURS, objects: int = 2, failed: tuple[int, ...] = (1,)) -> Dataset:
    """Event Information on that many objects."""
    asked = commitment.request(transaction, [("1.2.3", f"2.25.{number}") for number in range(objects)])
    items = asked.ReferencedSOPSequence
    for number in failed:
        items[number].FailureReason = 0x0112
    asked.ReferencedSOPSequence = [item for item in items if "FailureReason" not in item]
    asked.FailedSOPSequence = [item for item in items if "FailureReason" in item]
    return asked


@pytest.mark.parametrize("roles", [True, False])
def test_a_report_that_is_expected_reaches_the_node(node: Receiver, roles: bool) -> None:
    with archive_calling(node.port, roles=roles) as opened:
        answer, _ = opened.send_n_event_report(information(), 2, COMMITMENT, commitment.WELL_KNOWN_INSTANCE)
    assert answer.Status == commitment.SUCCESS
    event = node.event("reported", calling="ARCHIVE")
    assert Report.from_event(event) == Report(OURS, ("2.25.0",), {"2.25.1": 0x0112})
    assert node.event("closed", calling="ARCHIVE")["how"] == "released"


@pytest.mark.parametrize(
    ("what", "kind", "instance", "status"),
    [
        (information("2.25.666"), 2, commitment.WELL_KNOWN_INSTANCE, commitment.INVALID_VALUE),
        (information(""), 2, commitment.WELL_KNOWN_INSTANCE, commitment.INVALID_VALUE),
        (information("1" * 65), 2, commitment.WELL_KNOWN_INSTANCE, commitment.INVALID_VALUE),
        (information(), 3, commitment.WELL_KNOWN_INSTANCE, commitment.NO_SUCH_EVENT),
        (information(), 2, "1.2.3", commitment.NO_SUCH_INSTANCE),
        (
            information(objects=commitment.MOST_OBJECTS + 2),
            2,
            commitment.WELL_KNOWN_INSTANCE,
            commitment.INVALID_VALUE,
        ),
    ],
    ids=["unknown", "no transaction", "long transaction", "event type", "instance", "too many"],
)
def test_a_report_that_is_not_expected_is_refused_and_the_association_goes_on(
    node: Receiver, what: Dataset, kind: int, instance: str, status: int
) -> None:
    with archive_calling(node.port, roles=True) as opened:
        answer, _ = opened.send_n_event_report(what, kind, COMMITMENT, instance)
        assert answer.Status == status
        assert node.event("refused", calling="ARCHIVE")["status"] == f"{status:04X}"
        again, _ = opened.send_n_event_report(information(), 2, COMMITMENT, commitment.WELL_KNOWN_INSTANCE)
        assert again.Status == commitment.SUCCESS
    node.event("reported", transaction=OURS)


def test_a_receiver_that_is_started_again_still_expects_the_report(tmp_path: Path) -> None:
    with receiver(tmp_path / "archive") as running:
        running.process.expect(OURS)
        running.process.stop()
        running.process.start()
        assert send(running.port, Sent(), tmp_path).Status == 0x0000
        with archive_calling(running.port, roles=True) as opened:
            answer, _ = opened.send_n_event_report(
                information(), 2, COMMITMENT, commitment.WELL_KNOWN_INSTANCE
            )
    assert answer.Status == commitment.SUCCESS


def test_a_report_survives_the_way_as_a_line() -> None:
    report = Report.read(information(objects=5, failed=(0, 3)))
    assert Report.from_event(json.loads(json.dumps(report.as_event()))) == report


def test_an_object_without_a_uid_makes_a_bad_report() -> None:
    bad = information()
    del bad.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
    with pytest.raises(BadReport, match="a UID is missing"):
        Report.read(bad)
