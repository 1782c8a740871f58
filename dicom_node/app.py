"""The composition root: Settings in, a running node out. The only place that picks implementations."""

import threading
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import final

from dicom_node.analysis.room import Room
from dicom_node.analysis.run_settings import run_settings
from dicom_node.analysis.run_study import Runner
from dicom_node.analysis.shadow import Shadowing
from dicom_node.analysis.worker_command import Start
from dicom_node.analysis.worker_engine import WorkerEngine
from dicom_node.archive import Archive
from dicom_node.archive.commitment_requests import RequestFiles, requests_beside
from dicom_node.archive.durable import sweep
from dicom_node.clock import now_utc
from dicom_node.committing.clerk import Clerk
from dicom_node.committing.reporting import Reporting
from dicom_node.committing.verdict import Examiner
from dicom_node.config import Settings
from dicom_node.delivery.couriers import Couriers
from dicom_node.delivery.prover import say_settled
from dicom_node.delivery.sweeper import Sweeping, sweeping_task
from dicom_node.delivery.unrouted import say_unrouted
from dicom_node.from_settings import (
    apart_places,
    destinations,
    equipment,
    first_choice,
    models_in_use,
    names_in_use,
    worker_places,
)
from dicom_node.intake.arrivals import Arrivals, Reactions
from dicom_node.intake.associations import OpenAssociations
from dicom_node.intake.closing import StudyCloser
from dicom_node.intake.index import Index
from dicom_node.intake.indexer import Indexer
from dicom_node.intake.postponed import Postponed
from dicom_node.keeping.housekeeper import Housekeeper
from dicom_node.log import logger
from dicom_node.migrations import migrate
from dicom_node.places import archive_dir, models_dir, results_dir
from dicom_node.receiver.process import ReceiverProcess
from dicom_node.resting import Resting
from dicom_node.retraining import retraining
from dicom_node.running import DataDirectoryLock
from dicom_node.schedule import Clockwork
from dicom_node.store import Store

log = logger(__name__)

_CLOSE_EVERY_S = 0.5
_RUN_EVERY_S = 1.0
_SEND_EVERY_S = 1.0
_SHADOW_EVERY_S = 5.0
_COMPARE_EVERY_S = 600.0
_COMPARE_ALL_EVERY_S = 6 * 3600.0


@final
class Node:
    """One running node: receiver and worker processes, index, clock, couriers.

    `start` brings the database to the code's schema, rebuilds the index from the files, takes up every job
    where a crash left it, and only then listens.
    """

    def __init__(self, settings: Settings, worker_log: Path | None = None) -> None:
        self._settings = settings
        self._worker_log = worker_log
        self._lock = DataDirectoryLock(settings.data_dir)
        self._archive = Archive(archive_dir(settings), settings.receive.disk_reserve_mb * 1_000_000)
        self._receiver = ReceiverProcess(settings.receive, archive_dir(settings), settings.tls)
        self._engine = WorkerEngine(
            settings.model,
            settings.log,
            places=worker_places(settings),
            start=Start(lambda: first_choice(settings)),
            stderr=worker_log,
        )
        self._associations = OpenAssociations()
        self._postponed = Postponed(settings.complete.resend_s)
        self._running = ExitStack()

    @property
    def port(self) -> int:
        """The port the receiver listens on."""
        return self._receiver.port

    def start(self) -> None:
        """Bring everything up, or nothing.

        Raises:
            NodeError: another node holds the data directory, the database cannot be used, the port is taken.
        """
        with ExitStack() as starting:
            self._lock.acquire()
            starting.callback(self._lock.release)
            self._start(starting)
            readers = partial(models_in_use, self._settings)
            starting.enter_context(retraining(self._settings, now_utc, readers))
            self._running = starting.pop_all()
        self._lock.note(self.port)
        say_unrouted(self._settings, names_in_use(self._settings))
        log.info("listening", ae_title=self._settings.receive.ae_title, port=self.port)

    def stop(self) -> None:
        """Take leave: nothing new comes in, what runs is given up and resumed at the next start."""
        log.info("stopping")
        self._running.close()

    def _start(self, starting: ExitStack) -> None:
        """Each callback undoes its line, in reverse order."""
        migrate(self._settings.database_url)
        store = Store(self._settings.database_url)
        starting.callback(store.close)
        keeper = Housekeeper(self._settings, store, self._archive, results_dir(self._settings), now_utc)
        swept = keeper.take_up() + self._sweep()
        resumed = store.reclaim(now_utc())
        log.info("resumed", jobs=resumed, unfinished_files_removed=swept)
        index = Index(self._archive, store)
        indexer = Indexer(index, now_utc, on_filed=lambda: clock.nudge("close"))
        indexer.start()
        starting.callback(indexer.stop)
        couriers, clerk = self._telling(store, indexer, starting)
        runner, shadowing = self._reading(store, keeper)
        clock = self._clockwork(store, (runner, shadowing), (index, indexer), (couriers, clerk), keeper)
        starting.callback(clock.stop)
        starting.callback(shadowing.stop)
        starting.callback(self._engine.close)
        starting.callback(runner.stop)
        self._receiver.start()
        arrivals = Arrivals(
            self._receiver,
            indexer,
            self._associations,
            self._postponed,
            Reactions(
                closed=lambda: clock.nudge("close"),
                compare=lambda: index.catch_up(now_utc()),
                reported=couriers.take_report,
                commitment=clerk.hear,
            ),
        )
        starting.callback(arrivals.stop)
        arrivals.start()
        clock.start()
        threading.Thread(target=self._engine.start, name="warm the worker", daemon=True).start()

    def _sweep(self) -> int:
        """Remove what writers left that died half-way; how many files."""
        folders = results_dir(self._settings), models_dir(self._settings), requests_beside(self._archive.root)
        return sum(map(sweep, folders))

    def _telling(self, store: Store, indexer: Indexer, starting: ExitStack) -> tuple[Couriers, Clerk]:
        couriers, clerk = self._couriers(store), self._clerk(store, indexer)
        starting.callback(couriers.close)
        starting.callback(clerk.close)
        return couriers, clerk

    def _couriers(self, store: Store) -> Couriers:
        for transaction_uid in reversed(store.proofs.open_transactions()):
            self._receiver.expect(transaction_uid)
        return Couriers(
            store,
            results_dir(self._settings),
            destinations(self._settings),
            self._settings.deliver,
            now_utc,
            self._receiver.expect,
        )

    def _reading(self, store: Store, keeper: Housekeeper) -> tuple[Runner, Shadowing]:
        choices = run_settings(self._settings, equipment(self._settings.report))
        runner = Runner(store, self._archive, self._engine, choices, now_utc, Room(keeper.free_bytes))
        return runner, Shadowing(store, self._archive, self._shadow_engine, choices, now_utc)

    def _shadow_engine(self) -> WorkerEngine:
        """A worker beside the one that reports, which can write nothing and goes behind everybody else."""
        settings = self._settings
        places = apart_places(settings, settings.data_dir / "shadow", models_dir(settings))
        start = Start(background=True)
        return WorkerEngine(settings.model, settings.log, places=places, start=start, stderr=self._worker_log)

    def _clerk(self, store: Store, indexer: Indexer) -> Clerk:
        files = RequestFiles(requests_beside(self._archive.root))
        examiner = Examiner(store, self._archive, indexer.wait_idle)
        reporting = Reporting(files, examiner, self._receiver.tell, self._settings, now_utc)
        return Clerk(files, reporting, now_utc)

    def _send(self, store: Store, couriers: Couriers) -> bool:
        names = [destination.name for destination in self._settings.destinations]
        store.endings.fail_unaddressed(names, now_utc())
        say_settled(store.endings.doubt_unaddressed(names, now_utc()))
        couriers.tick()
        return store.anything_to_deliver()

    def _clockwork(
        self,
        store: Store,
        reading: tuple[Runner, Shadowing],
        indexing: tuple[Index, Indexer],
        telling: tuple[Couriers, Clerk],
        keeper: Housekeeper,
    ) -> Clockwork:
        noticing = self._settings.report.not_analysed
        closer = StudyCloser(store, self._settings.complete, now_utc(), self._postponed, noticing)
        (runner, shadowing), (index, indexer), (couriers, clerk) = reading, indexing, telling
        sweeping = Sweeping(store, results_dir(self._settings), self._settings.deliver, now_utc)
        resting = Resting(store.changes.number)

        def busy() -> frozenset[str]:
            return self._associations.studies() | indexer.pending()

        def close() -> bool:
            if closer.close_studies(now_utc(), time.monotonic(), busy()):
                clock.nudge("run")
            return closer.waits

        def run() -> None:
            runner.run_all(after_each=lambda: clock.nudge("send"))

        clock = Clockwork(
            {
                "close": (_CLOSE_EVERY_S, resting.task(close)),
                "run": (_RUN_EVERY_S, resting.task(run)),
                "send": (_SEND_EVERY_S, resting.task(lambda: self._send(store, couriers))),
                "shadow": (_SHADOW_EVERY_S, resting.task(shadowing.ask_all)),
                "compare": (_COMPARE_EVERY_S, lambda: index.catch_up(now_utc())),
                "compare all": (_COMPARE_ALL_EVERY_S, lambda: index.rebuild(now_utc())),
                **clerk.tasks(),
                **sweeping_task(sweeping, destinations(self._settings)),
                **keeper.tasks(busy, resting),
            },
            on_jump=store.endings.clock_was_set,
        )
        return clock
