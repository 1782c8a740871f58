"""Storage Commitment as service class user (PS3.4 annex J): will you keep these objects?"""

import queue
from collections.abc import Sequence

from pynetdicom.events import EVT_N_EVENT_REPORT

from dicom_node.commitment import (
    NO_SUCH_OBJECT,
    REASONS,
    REQUEST,
    WELL_KNOWN_INSTANCE,
    Report,
    answer_report,
    request,
)
from dicom_node.conformance import COMMITMENT
from dicom_node.delivery.line import Line, Unanswered
from dicom_node.delivery.proof import Finding, Found, SentObject
from dicom_node.errors import ServiceRefused


def ask(
    line: Line, transaction_uid: str, objects: Sequence[SentObject], linger_s: float
) -> list[Finding] | None:
    """Send the request; what was reported on the same association within `linger_s`, or None.

    The transaction must be known to whoever takes reports before this is called: they may come at once.

    Raises:
        ServiceRefused: the peer does not accept the service, or answers the request with a failure.
        DestinationError: nobody answered.
    """
    heard: queue.Queue[Report] = queue.Queue()
    hearing = (
        EVT_N_EVENT_REPORT,
        lambda event: answer_report(event, lambda uid: uid == transaction_uid, heard.put),
    )
    wanted = request(transaction_uid, ((one.sop_class_uid, one.sop_instance_uid) for one in objects))
    with line.service(COMMITMENT, handlers=[hearing]) as association:
        answer, _ = association.send_n_action(wanted, REQUEST, COMMITMENT, WELL_KNOWN_INSTANCE)
        if "Status" not in answer:
            raise Unanswered("the request for commitment")
        if answer.Status != 0x0000:
            status = f"{answer.Status:04X}H"
            raise ServiceRefused(f"{line.name} answers the request for commitment with {status}")
        try:
            report = heard.get(timeout=linger_s)
        except queue.Empty:
            return None
    return [finding_of(report, one.sop_instance_uid) for one in objects]


def finding_of(report: Report, sop_instance_uid: str) -> Finding:
    """What a report says of one object."""
    if sop_instance_uid in report.failed:
        reason = report.failed[sop_instance_uid]
        words = f"not committed: {REASONS.get(reason, 'no reason that DICOM defines')} ({reason:04X}H)"
        return Finding(Found.MISSING if reason == NO_SUCH_OBJECT else Found.UNKNOWN, words)
    if sop_instance_uid in report.committed:
        return Finding(Found.PROVED)
    return Finding(Found.UNKNOWN, "the report on commitment does not name this object")
