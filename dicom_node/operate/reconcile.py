"""What we believe delivered against what the destinations list: `dicom-node reconcile`."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from dicom_node.delivery.destination import Destination
from dicom_node.delivery.proof import Found
from dicom_node.delivery.prover import sent_object
from dicom_node.errors import NotNow
from dicom_node.store import Store
from dicom_node.store.records import Delivery

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Missing:
    """An object that a destination took with Success and does not list."""

    study_instance_uid: str
    destination: str
    kind: str
    sop_instance_uid: str
    result_id: int

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return asdict(self)


def reconcile(
    store: Store, pacs: Destination, results: Path, since: datetime | None
) -> tuple[int, list[Missing]]:
    """How many objects were looked for at one destination, and those it does not list. Changes nothing.

    Raises:
        ServiceRefused: the destination does not answer queries.
        DestinationError: nobody answered.
    """
    believed = store.proofs.arrived(pacs.name, since)
    missing: list[Missing] = []
    for first in range(0, len(believed), _AT_ONCE):
        missing += _missing(pacs, results, believed[first : first + _AT_ONCE])
    return len(believed), missing


def _missing(pacs: Destination, results: Path, believed: Sequence[Delivery]) -> Iterator[Missing]:
    findings = pacs.proof.query([sent_object(results, one) for one in believed])
    for one, finding in zip(believed, findings, strict=True):
        if finding.found is Found.MISSING:
            uid = one.sent_sop_instance_uid
            yield Missing(one.study_instance_uid, pacs.name, one.kind, uid, one.result_id)


def accept(store: Store, missing: Sequence[Missing], at: datetime) -> int:
    """Take what is missing for removed on purpose: it is owed no more; how many objects."""
    return sum(store.sweeps.accept(study, pairs, at) for study, pairs in _by_study(missing))


def send_again(store: Store, missing: Sequence[Missing], at: datetime) -> tuple[int, list[str]]:
    """Queue what is missing; how many were not waiting already, and why some studies could not be queued."""
    queued, refused = 0, []
    for study, pairs in _by_study(missing):
        try:
            queued += store.proofs.resend(study, pairs, at, "missing at its destination, sent again")
        except NotNow as error:
            refused.append(f"{study}: {error}")
    return queued, refused


def _by_study(missing: Sequence[Missing]) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """Each study with its (result, destination) pairs."""
    ordered = sorted(missing, key=lambda one: one.study_instance_uid)
    for study, group in groupby(ordered, key=lambda one: one.study_instance_uid):
        yield study, [(one.result_id, one.destination) for one in group]
