"""The part of a node that answers requests for commitment, and scanners that ask: real sockets, files and rows."""

import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from socketserver import BaseServer
from threading import Thread
from typing import Any, Self

from pydicom import Dataset
from pynetdicom import AE, build_context, evt
from pynetdicom.association import Association

from dicom_node import commitment
from dicom_node.archive import Archive
from dicom_node.archive.commitment_requests import Progress, RequestFiles, Standing, requests_beside
from dicom_node.commitment import Report
from dicom_node.committing.clerk import Clerk
from dicom_node.committing.reporting import Reporting
from dicom_node.committing.verdict import Examiner
from dicom_node.config import Settings
from dicom_node.conformance import BASIC, COMMITMENT
from dicom_node.intake.arrivals import Arrivals, Reactions
from dicom_node.intake.associations import OpenAssociations
from dicom_node.intake.index import Index
from dicom_node.intake.indexer import Indexer
from dicom_node.intake.postponed import Postponed
from dicom_node.migrations import migrate
from dicom_node.receiver.process import ReceiverProcess
from dicom_node.schedule import Clockwork
from dicom_node.store import Store
from tests.dicom_node.receiving import Sent, send

WAIT_S = 30.0
Objects = Sequence[tuple[str, str]]


def now_utc() -> datetime:
    return datetime.now(UTC)


class WatchedFiles(RequestFiles):
    """Tells the test what is written about each request."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.noted: queue.Queue[Progress] = queue.Queue()

    def note(self, name: str, progress: Progress) -> None:
        super().note(name, progress)
        self.noted.put(progress)


class CommittingNode:
    """Receiver, index and clerk on one folder; entered again, it is a node that was started again.

    Without `answers` the clerk is never called: what is asked stays asked.
    """

    def __init__(
        self,
        folder: Path,
        callers: Sequence[Mapping[str, Any]] = (),
        clock: Callable[[], datetime] = now_utc,
        answers: bool = True,
        port: int = 0,
        **deliver: float,
    ) -> None:
        policy = {"first_retry_s": 0.2, "max_retry_s": 0.5, "timeout_s": 5.0, **deliver}
        receive = {"port": port, "disk_reserve_mb": 0, "callers": list(callers)}
        self.settings = Settings(data_dir=folder, receive=receive, deliver=policy)
        self.archive = Archive(folder / "archive", 0)
        self.files = WatchedFiles(requests_beside(self.archive.root))
        self.heard: queue.Queue[Mapping[str, Any]] = queue.Queue()
        self._answers = answers
        self._clock = clock
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            self.settings.data_dir.mkdir(exist_ok=True)
            migrate(self.settings.database_url)
            self.store = Store(self.settings.database_url)
            starting.callback(self.store.close)
            self.index = Index(self.archive, self.store)
            self.index.rebuild(now_utc())
            self.indexer = Indexer(self.index, now_utc)
            self.indexer.start()
            starting.callback(self.indexer.stop)
            self.receiver = ReceiverProcess(self.settings.receive, self.archive.root)
            examiner = Examiner(self.store, self.archive, self.indexer.wait_idle)
            reporting = Reporting(self.files, examiner, self.receiver.tell, self.settings, self._clock)
            self.clerk = Clerk(self.files, reporting, self._clock)
            starting.callback(self.clerk.close)
            clock = Clockwork({"commit": (0.05, self.clerk.tick)} if self._answers else {})
            starting.callback(clock.stop)
            self.receiver.start()
            reactions = Reactions(
                lambda: None, lambda: self.index.rebuild(now_utc()), self._ignore, self._hear
            )
            arrivals = Arrivals(self.receiver, self.indexer, OpenAssociations(), Postponed(60.0), reactions)
            starting.callback(arrivals.stop)
            arrivals.start()
            clock.start()
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    @property
    def port(self) -> int:
        return self.receiver.port

    def event(self, name: str, **facts: object) -> Mapping[str, Any]:
        """The next event of this name and these facts about commitment."""
        while True:
            event = self.heard.get(timeout=WAIT_S)
            if event["event"] == name and facts.items() <= event.items():
                return event

    def noted(self, standing: Standing) -> Progress:
        """The next thing that is written about a request that stands so."""
        while True:
            progress = self.files.noted.get(timeout=WAIT_S)
            if progress.standing is standing:
                return progress

    def keep(self, folder: Path, *objects: Sent) -> None:
        """Send these objects to it, and see that they are in the index."""
        for item in objects:
            assert send(self.port, item, folder, calling="SCANNER").Status == 0x0000
            self.event("closed", calling="SCANNER", stored=1)
        assert self.indexer.wait_idle(WAIT_S)

    def file_of(self, instance: str) -> Path:
        """Where the bytes of an instance lie."""
        return self.archive.open(self.store.safekeeping.copies([instance])[instance][0].path)

    def _hear(self, event: Mapping[str, Any]) -> None:
        self.clerk.hear(event)
        self.heard.put(event)

    def _ignore(self, event: Mapping[str, Any]) -> None:
        raise AssertionError("nobody was asked to commit to anything")


class Scanner:
    """Takes reports, on whatever association they come; `status` is what it answers them with."""

    def __init__(self, status: int = 0x0000) -> None:
        self.status = status
        self.port = 0
        self.reports: queue.Queue[tuple[int, Report]] = queue.Queue()

    def report(self) -> tuple[int, Report]:
        """The next report: Event Type ID and what it says."""
        return self.reports.get(timeout=WAIT_S)

    def take(self, event: evt.Event) -> tuple[int, None]:
        """EVT_N_EVENT_REPORT."""
        self.reports.put((event.event_type, Report.read(event.event_information)))
        return self.status, None

    @contextmanager
    def asking(self, port: int, calling: str = "SCANNER", **further: Any) -> Iterator[Association]:
        """An association on which it may ask, and be told."""
        ae = AE(calling)
        contexts = [build_context(COMMITMENT, [syntax.uid for syntax in BASIC]), *further.get("contexts", ())]
        hearing = [(evt.EVT_N_EVENT_REPORT, self.take)]
        opened = ae.associate("127.0.0.1", port, contexts, ae_title="DICOMNODE", evt_handlers=hearing)
        assert opened.is_established
        try:
            yield opened
        finally:
            if opened.is_established:
                opened.release()

    @contextmanager
    def listening(self, port: int = 0) -> Iterator[Self]:
        """It takes associations for reports on a port of its own."""
        ae = AE("SCANNER")
        ae.add_supported_context(COMMITMENT, [syntax.uid for syntax in BASIC], scu_role=True, scp_role=True)
        ae.require_called_aet = True
        hearing: list[evt.EventHandlerType] = [(evt.EVT_N_EVENT_REPORT, self.take)]
        server = ae.make_server(("127.0.0.1", port), "SCANNER", ae.supported_contexts, evt_handlers=hearing)
        self.port = server.server_address[1]
        serving = Thread(target=partial(server.serve_forever, 0.01))
        serving.start()
        try:
            yield self
        finally:
            BaseServer.shutdown(server)
            server.server_close()
            serving.join()


def ask(opened: Association, transaction: str, objects: Objects) -> int:
    """N-ACTION; the status of the answer."""
    return act(opened, commitment.request(transaction, objects))


def act(opened: Association, information: Dataset, kind: int = 1, instance: str = "") -> int:
    """N-ACTION with anything; the status of the answer."""
    addressed = instance or commitment.WELL_KNOWN_INSTANCE
    answer, _ = opened.send_n_action(information, kind, COMMITMENT, addressed)
    return int(answer.Status)
