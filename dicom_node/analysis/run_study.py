"""One job from claim to settled: the only place where a run meets the world."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import final

from dicom_node.analysis.ask_analysis import Questions
from dicom_node.analysis.ask_notice import Notices, new_results
from dicom_node.analysis.engine import AnalysisResult, Engine
from dicom_node.analysis.room import Room
from dicom_node.analysis.run_record import Asked
from dicom_node.analysis.run_settings import RunSettings
from dicom_node.archive import Archive
from dicom_node.errors import (
    Misattributed,
    NoRoom,
    StoreUnavailable,
    WorkerDied,
    WorkerOverdue,
    WorkerStarved,
)
from dicom_node.jobs import Job, State
from dicom_node.log import logger
from dicom_node.store import Store
from dicom_node.store.endings import Ending
from dicom_node.store.jobs import WORKER
from dicom_node.store.results import addressed
from models import LAST, ModelError
from reports import Refusal

log = logger(__name__)

STANDS = "images arrived that are not part of the cine; the report stands"
STANDS_ALONE = "{absent} images that the report was made from are gone; the report stands. " + (
    "To have the study read anew, send all of it again"
)
INCOMPLETE_AGAIN = "{absent} images of the study were removed; to have it read, send all of it again"

_INTERRUPTIONS = 5
"""Runs that ended with the node itself, and so may not be the study's fault, before it is set aside."""


@final
class Runner:
    """Runs READY jobs, one at a time."""

    def __init__(
        self,
        store: Store,
        archive: Archive,
        engine: Engine,
        choices: RunSettings,
        clock: Callable[[], datetime],
        room: Room,
    ) -> None:
        self._store = store
        self._engine = engine
        self._choices = choices
        self._clock = clock
        self._room = room
        self._unsettled: Job | None = None
        self._stopping = threading.Event()
        self._starved: set[int] = set()
        self._questions = Questions(store, archive, choices)
        self._notices = Notices(store, archive, engine, choices)

    def stop(self) -> None:
        """Claim nothing more; what is running stays RUNNING, for the next start to resume."""
        self._stopping.set()

    def run_all(self, after_each: Callable[[], object] = lambda: None) -> int:
        """Run jobs until none is READY, or there is no room; how many. `after_each` is told of every end.

        Raises:
            StoreUnavailable: how a run ended could not be written down; it begins anew at the next call.
        """
        done = 0
        self._take_back()
        while (job := self._claim()) is not None:
            try:
                self._run_or_set_aside(job)
            except StoreUnavailable:
                self._unsettled = job
                raise
            done += 1
            after_each()
        return done

    def _run_or_set_aside(self, job: Job) -> None:
        if job.attempts > self._choices.max_attempts + _INTERRUPTIONS:
            reason = f"set aside: {job.attempts - 1} runs ended without an answer"
            self._refuse(job, State.FAILED, reason, Refusal("fault"))
        else:
            self._run(job)

    def _claim(self) -> Job | None:
        now = self._clock()
        if self._stopping.is_set() or not self._room.there_is(now):
            return None
        return self._store.claim(now)

    def _take_back(self) -> None:
        """A run whose end could not be written down, because the database was locked or full, begins anew."""
        if self._unsettled is not None:
            reason = "how the run ended could not be written down"
            self._store.endings.postpone(self._unsettled, reason, self._clock())
            self._unsettled = None

    def _run(self, job: Job) -> None:
        """Analyse one claimed study and write down how it ended, unless images came meanwhile."""
        if self._rests_on_absent(job):
            return
        try:
            asked = self._questions.about(job, LAST if job.id in self._starved else self._choices.rung)
            if asked is None:
                self._settle(job, State.DELIVERING, STANDS)
            else:
                self._record(job, asked, self._engine.submit(asked.request))
        except WorkerDied as error:
            self._died(job, error)
        except ModelError as error:
            self._refuse(job, State.FAILED, str(error), Refusal("fault"))

    def _rests_on_absent(self, job: Job) -> bool:
        """Settle a study of which images that were read before are gone: what is left is not read anew.

        A report on the rest would contradict the one that stands, for want of images and not of scar.
        """
        absent = self._store.keeping.absent_sources(job.study_instance_uid)
        if absent and self._store.keeping.has_report(job):
            self._settle(job, State.DELIVERING, STANDS_ALONE.format(absent=absent))
        elif absent:
            self._settle(job, State.REJECTED, INCOMPLETE_AGAIN.format(absent=absent))
        return absent > 0

    def _died(self, job: Job, error: WorkerDied) -> None:
        """A study that kills its worker is tried again, and then set aside, so that it blocks nobody.

        A worker that seems to have died for want of memory had no chance to go down the ladder: the next try
        of the study begins at its foot.
        """
        if self._stopping.is_set():
            return
        self._starved.discard(job.id)
        if job.attempts < self._choices.max_attempts:
            if isinstance(error, WorkerStarved):
                self._starved.add(job.id)
            self._settle(job, State.READY, str(error))
        else:
            refusal = Refusal("time" if isinstance(error, WorkerOverdue) else "fault")
            self._refuse(job, State.FAILED, f"set aside after {job.attempts} runs: {error}", refusal)

    def _record(self, job: Job, asked: Asked, result: AnalysisResult) -> None:
        self._starved.discard(job.id)
        if result.findings is None:
            self._without_result(job, result)
            return
        made = new_results(result.files)
        routes = self._choices.routes
        run = asked.answered(result, self._clock())
        if self._store.record_results(job, made, routes, run):
            to = State.DELIVERING if addressed(made, routes, run) else State.DELIVERED
            study = job.study_instance_uid
            log.info("study-analysed", study=study, job=job.id, state=str(to), took_s=result.seconds)
        else:
            log.info("study-reopened-while-running", study=job.study_instance_uid, job=job.id)

    def _without_result(self, job: Job, result: AnalysisResult) -> None:
        match result.outcome:
            case "misattributed":
                self._withhold(job, result.reason)
            case "no_room":
                self._wait_for_room(job, result.reason)
            case "rejected":
                self._refuse(job, State.REJECTED, result.reason, Refusal(result.cause, result.reason))
            case _:
                self._refuse(job, State.FAILED, result.reason, Refusal(result.cause))

    def _wait_for_room(self, job: Job, reason: str) -> None:
        now = self._clock()
        self._room.ran_out(now)
        log.error("waiting-for-room", study=job.study_instance_uid, job=job.id, reason=reason)
        self._store.endings.postpone(job, f"{reason}; the study is read again when there is some", now)

    def _refuse(self, job: Job, to: State, reason: str, refusal: Refusal) -> None:
        """End a run without a result, and say so to the reader of the archive where that is wanted."""
        study = job.study_instance_uid
        try:
            notice = self._notices.make(job, refusal)
        except Misattributed as error:
            self._withhold(job, str(error))
            return
        except NoRoom as error:
            self._wait_for_room(job, str(error))
            return
        except WorkerDied as error:
            if self._stopping.is_set():
                return
            log.error("notice-not-made", study=study, reason=str(error))
            notice = None
        if notice is None:
            self._settle(job, to, reason)
            return
        made = new_results(notice.result.files)
        ending = Ending(to, reason, notice.asked.answered(notice.result, self._clock()))
        held = self._store.endings.record_notice(job, made, self._choices.routes, ending)
        self._tell(held, job, to, reason)

    def _withhold(self, job: Job, reason: str) -> None:
        self._store.endings.raise_alarm(job.study_instance_uid, reason, self._clock())
        log.error("identity-alarm", study=job.study_instance_uid, job=job.id, reason=reason)

    def _settle(self, job: Job, to: State, reason: str) -> None:
        self._tell(self._store.settle(job, to, self._clock(), reason, WORKER), job, to, reason)

    def _tell(self, held: bool, job: Job, to: State, reason: str) -> None:
        action = "study-settled" if held else "study-reopened-while-running"
        log.info(action, study=job.study_instance_uid, job=job.id, state=str(to), reason=reason)
