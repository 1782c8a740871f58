"""N-EVENT-REPORT: what an archive says about the commitment that the node asked for."""

import threading
from collections import OrderedDict

from pynetdicom.events import Event

from dicom_node.commitment import Report, answer_report
from dicom_node.receiver.outbox import Outbox
from dicom_node.receiver.session import Sessions

_MOST_EXPECTED = 20_000


class Expected:
    """The transactions on which a report may come, the latest of them if they are very many. Thread-safe."""

    def __init__(self) -> None:
        self._uids: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, transaction_uid: str) -> None:
        """One more."""
        with self._lock:
            self._uids[transaction_uid] = None
            while len(self._uids) > _MOST_EXPECTED:
                self._uids.popitem(last=False)

    def __contains__(self, transaction_uid: object) -> bool:
        with self._lock:
            return transaction_uid in self._uids


class Reports:
    """Answers reports, and hands those on transactions of ours to the node.

    What is lost between our answer and the node's database is asked for again: a report is never the only
    chance of a proof.
    """

    def __init__(self, expected: Expected, outbox: Outbox, sessions: Sessions) -> None:
        self._expected = expected
        self._outbox = outbox
        self._sessions = sessions

    def on_report(self, event: Event) -> tuple[int, None]:
        """EVT_N_EVENT_REPORT."""
        session = self._sessions.of(event.assoc)
        who = {"association": session.id, "calling": session.calling} if session else {}

        def take(report: Report) -> None:
            self._outbox.put("reported", **who, **report.as_event())

        status, nothing = answer_report(event, self._expected.__contains__, take)
        if status:
            reason = "a report on commitment that was not expected, or cannot be read"
            self._outbox.put("refused", **who, status=f"{status:04X}", reason=reason)
        return status, nothing
