"""A PACS that can be asked for proof, and answers as it is told: Storage Commitment and C-FIND."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydicom import Dataset
from pynetdicom import evt

from dicom_node.commitment import WELL_KNOWN_INSTANCE
from dicom_node.conformance import COMMITMENT, STUDY_ROOT_FIND
from tests.dicom_node.storage_scp import ALL, Scp, storage_scp


@dataclass
class Promises:
    """What it says about the objects it took, and what it heard.

    Attributes:
        status: the answer to N-ACTION.
        reports: whether it reports, on the association on which it was asked.
        forgets: it takes so many objects and keeps none of them; after that it keeps what it takes.
        asked: the Action Information of every request.
        answers: the statuses with which its reports were answered.
    """

    status: int = 0x0000
    reports: bool = True
    forgets: int = 0
    kept: dict[str, Dataset] = field(default_factory=dict)
    asked: list[Dataset] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    answered: threading.Event = field(default_factory=threading.Event)

    def store(self, event: evt.Event) -> int:
        """Success, whatever becomes of the object."""
        if self.forgets:
            self.forgets -= 1
        else:
            self.kept[str(event.request.AffectedSOPInstanceUID)] = event.dataset
        return 0x0000

    def find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        """C-FIND at the level of images."""
        for uid, kept in list(self.kept.items()):
            if kept.SeriesInstanceUID == event.identifier.SeriesInstanceUID:
                found = Dataset()
                found.QueryRetrieveLevel = "IMAGE"
                found.SOPInstanceUID = uid
                yield 0xFF00, found

    def act(self, event: evt.Event) -> tuple[int, None]:
        """N-ACTION; the report follows when the answer is out."""
        self.asked.append(event.action_information)
        if self.status == 0x0000 and self.reports:
            report = threading.Thread(target=self._report, args=(event, self.asked[-1]), daemon=True)
            event.assoc.bind(evt.EVT_DIMSE_SENT, lambda _: report.start())
        return self.status, None

    def _report(self, event: evt.Event, asked: Dataset) -> None:
        event.assoc.unbind(evt.EVT_DIMSE_SENT, event.assoc.get_handlers(evt.EVT_DIMSE_SENT)[-1][0])
        information = self.report_on(asked)
        kind = 2 if "FailedSOPSequence" in information else 1
        answer, _ = event.assoc.send_n_event_report(information, kind, COMMITMENT, WELL_KNOWN_INSTANCE)
        self.answers.append(int(answer.Status))
        self.answered.set()

    def report_on(self, asked: Dataset) -> Dataset:
        """The Event Information about the objects that were asked for."""
        information = Dataset()
        information.TransactionUID = asked.TransactionUID
        committed, failed = [], []
        for item in asked.ReferencedSOPSequence:
            if item.ReferencedSOPInstanceUID in self.kept:
                committed.append(item)
            else:
                item.FailureReason = 0x0112
                failed.append(item)
        information.ReferencedSOPSequence = committed
        if failed:
            information.FailedSOPSequence = failed
        return information


@contextmanager
def proving_scp(promises: Promises, *, proof: str, classes: tuple[str, ...] = ()) -> Iterator[Scp]:
    """A storage SCP that accepts `classes`, too (without any: commitment and query), asked by way of `proof`."""
    further = [(evt.EVT_N_ACTION, promises.act), (evt.EVT_C_FIND, promises.find)]
    accepted = (*ALL, *(classes or (COMMITMENT, STUDY_ROOT_FIND)))
    with storage_scp(promises.store, accepted, further=further) as scp:
        scp.proof = proof
        yield scp
