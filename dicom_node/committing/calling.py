"""The way back to a caller: an association of ours on which we are the provider (PS3.4 J.3.3)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydicom import Dataset
from pynetdicom import build_role

from dicom_node.archive.commitment_requests import CommitmentRequest
from dicom_node.commitment import WELL_KNOWN_INSTANCE
from dicom_node.config import Settings
from dicom_node.config_sections import Caller, Destination
from dicom_node.conformance import COMMITMENT
from dicom_node.delivery.line import Line, Unanswered
from dicom_node.receiver.admission import same_address
from dicom_node.tls import TlsFiles

Made = Callable[[], tuple[int, Dataset]]
"""Makes a report: Event Type ID and Event Information."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where a caller takes reports, and where we have its address from."""

    ae_title: str
    host: str
    port: int
    source: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port} ({self.source})"


def way_to(request: CommitmentRequest, callers: Sequence[Caller]) -> Way | None:
    """The way to whoever asked; None if config.yaml names no port for it.

    The address is that of its entry among `receive.callers`, or the one that the request came from.
    """
    fitting = [
        one
        for one in callers
        if one.ae_title == request.calling and (one.ip is None or same_address(str(one.ip), request.address))
    ]
    entry = max(fitting, key=lambda one: one.ip is not None, default=None)
    if entry is None or entry.port is None:
        return None
    if entry.ip is None:
        return Way(request.calling, request.address, entry.port, "the address the request came from")
    return Way(request.calling, str(entry.ip), entry.port, "the address in receive.callers")


def send_report(way: Way, settings: Settings, made: Made) -> int:
    """Open an association, make the report and send it; the status of the answer.

    Nothing is made for a caller who is not there. Whoever must send to us by TLS is called by TLS.

    Raises:
        DestinationError: nobody is there, or does not take reports, or did not answer.
    """
    place = {
        "host": way.host,
        "port": way.port,
        "ae_title": way.ae_title,
        "tls": settings.receive.tls != "off",
    }
    named = re.sub(r"[^A-Za-z0-9_-]", "_", way.ae_title)
    files = TlsFiles(settings.tls.certificate, settings.tls.key, settings.tls.authorities)
    line = Line(
        Destination.model_validate({"name": named, **place}),
        settings.receive.ae_title,
        settings.deliver.timeout_s,
        files,
    )
    with line.service(COMMITMENT, roles=[build_role(COMMITMENT, scp_role=True)]) as association:
        kind, information = made()
        answer, _ = association.send_n_event_report(information, kind, COMMITMENT, WELL_KNOWN_INSTANCE)
        if "Status" not in answer:
            raise Unanswered("the report on commitment")
        return int(answer.Status)
