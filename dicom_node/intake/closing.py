"""The tick that closes studies: looks at what is RECEIVING, and moves what is complete or hopeless."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, final

from dicom_node.config_sections import CompleteSettings
from dicom_node.config_values import NotAnalysed
from dicom_node.intake.completion import Decision, Verdict, decide, sender_busy, stack_key
from dicom_node.intake.postponed import Postponed
from dicom_node.jobs import Job, State
from dicom_node.log import logger
from dicom_node.store import Store
from dicom_node.store.jobs import COMPLETION
from pipeline import Completeness, ContradictoryStudy, PipelineError, find_stack, judge, resembles_cine

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class _Look:
    """What the images of one generation of a study come to; `key` is empty without a stack.

    `cine`: whether there is a stack, or enough of one that somebody waits for a result.
    """

    generation: int
    judged: Completeness | str
    key: str
    cine: bool


@dataclass(frozen=True, slots=True)
class _Quiet:
    """Since when, on the steady clock, a generation of a study has had no new image, and awaited none."""

    generation: int
    since_s: float


@final
class StudyCloser:
    """Judges open studies, each generation of each only once.

    How long a study has been quiet is told by a clock that nobody sets; the time of day only says how old it
    was at first sight.

    `since` is when the node began to listen: images cannot come while it is down, so that time is not quiet.
    Nor is the time in which images of the study are `postponed`: its sender was told to try again.
    What is to be rejected with a notice (`not_analysed`) becomes READY: the run rejects it, and writes it. So
    does what came for a study whose images were removed: the run lets the report stand.
    """

    def __init__(
        self,
        store: Store,
        settings: CompleteSettings,
        since: datetime,
        postponed: Postponed,
        not_analysed: NotAnalysed = "never",
    ) -> None:
        self._store = store
        self._settings = settings
        self._since = since
        self._not_analysed = not_analysed
        self._postponed = postponed
        self._open = True
        self._looks: dict[int, _Look] = {}
        self._noted: dict[int, dict[str, Any]] = {}
        self._quiet: dict[int, _Quiet] = {}

    def close_studies(self, at: datetime, steady_s: float, open_studies: Collection[str]) -> list[Job]:
        """Move every open study that is complete or hopeless; returns these, moved.

        `steady_s` are monotonic seconds. `open_studies` are those that an open association, or the indexer,
        is still adding to.

        Raises:
            StoreUnavailable: the rest waits for the next tick.
        """
        jobs = self._store.open_jobs()
        alive = {job.id for job in jobs}
        self._looks = {key: look for key, look in self._looks.items() if key in alive}
        self._noted = {key: noted for key, noted in self._noted.items() if key in alive}
        self._quiet = {key: quiet for key, quiet in self._quiet.items() if key in alive}
        closed = []
        for job in jobs:
            since_s = steady_s - self._quiet_since_s(job, at, steady_s)
            moved = self._close(job, at, since_s, sending=job.study_instance_uid in open_studies)
            closed += [moved] if moved is not None else []
        self._open = len(closed) < len(jobs)
        return closed

    @property
    def waits(self) -> bool:
        """Whether a study was still open at the last look, so that time alone may close it."""
        return self._open

    def _quiet_since_s(self, job: Job, at: datetime, steady_s: float) -> float:
        known = self._quiet.get(job.id)
        if known is None or known.generation != job.generation:
            age_s = max((at - max(job.changed_at, self._since)).total_seconds(), 0.0)
            known = self._quiet[job.id] = _Quiet(job.generation, steady_s - age_s)
        if self._postponed.expects(job.study_instance_uid, steady_s):
            # from here, not from the last image: what was awaited may have come and have no row yet
            known = self._quiet[job.id] = _Quiet(job.generation, steady_s)
        return known.since_s

    def _close(self, job: Job, at: datetime, since_s: float, *, sending: bool) -> Job | None:
        busy = sender_busy(sending, since_s, self._settings)
        if busy is not None:
            self._note(job, busy, "", cine=False)
            return None
        look = self._look(job)
        verdict = decide(look.judged, sending, since_s, self._settings)
        self._note(job, verdict, look.key, cine=look.cine)
        if verdict.decision is Decision.WAIT:
            return None
        ready = verdict.decision is Decision.READY or self._notice_due(look) or self._rests_on_absent(job)
        to = State.READY if ready else State.REJECTED
        reason = f"{verdict.rule}: {verdict.sentence}" if ready else verdict.sentence
        if not self._store.settle(job, to, at, reason, COMPLETION):
            return None
        log.info("study-closed", study=job.study_instance_uid, state=str(to), reason=reason)
        return job.moved(to, at, reason)

    def _rests_on_absent(self, job: Job) -> bool:
        """Whether images are gone that were read before: the run settles it, and reads nothing."""
        return self._store.keeping.absent_sources(job.study_instance_uid) > 0

    def _notice_due(self, look: _Look) -> bool:
        return self._not_analysed == "always" or (self._not_analysed == "cine" and look.cine)

    def _look(self, job: Job) -> _Look:
        known = self._looks.get(job.id)
        if known is None or known.generation != job.generation:
            known = self._looks[job.id] = self._judge(job)
        return known

    def _judge(self, job: Job) -> _Look:
        study_uid = job.study_instance_uid
        digests = self._store.digests(study_uid)  # first: an image filed in between makes `job` stale
        cine = False
        try:
            facts = self._store.facts(study_uid)
            cine = resembles_cine(facts)
            stack = find_stack(facts)
            return _Look(job.generation, judge(stack), stack_key(stack, digests), cine=True)
        except PipelineError as error:
            reason = str(error)
            cine = cine or isinstance(error, ContradictoryStudy)
        except (ArithmeticError, LookupError, ValueError, TypeError) as error:
            # a header nobody foresaw must not keep the other studies from closing
            log.error("study-not-judged", study=study_uid, exc_info=error)
            reason = f"the study's headers could not be understood ({type(error).__name__})"
        return _Look(job.generation, _with_unreadable(reason, self._store.unusable(study_uid)), "", cine)

    def _note(self, job: Job, verdict: Verdict, key: str, *, cine: bool) -> None:
        """Write a verdict down when it differs from the last one in more than the time to wait."""
        found = verdict.as_json() | {"inputs_key": key, "cine": cine}
        if self._noted.get(job.id) != found and self._store.note_verdict(job, found):
            self._noted[job.id] = found


def _with_unreadable(reason: str, unreadable: list[str]) -> str:
    if not unreadable:
        return reason
    more = f" and {len(unreadable) - 1} more" if len(unreadable) > 1 else ""
    return f"{reason}; unreadable: {unreadable[0]}{more}"
