"""One request for commitment, from the verdict on its objects to a report that was answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from queue import Empty, SimpleQueue
from typing import Protocol, final

from dicom_node.archive.commitment_requests import (
    CommitmentRequest,
    Progress,
    RequestFiles,
    Standing,
)
from dicom_node.commitment import SUCCESS, TRANSACTION_IN_USE, Objects, report
from dicom_node.committing.calling import Way, send_report, way_to
from dicom_node.committing.verdict import Postponed
from dicom_node.config import Settings
from dicom_node.delivery.back_off import back_off
from dicom_node.errors import DestinationError, StoreUnavailable
from dicom_node.log import logger

log = logger(__name__)

_HOLD_OFF = timedelta(seconds=2)
_HERE = "on the association that asked"
_BUSY = "the caller is still sending"
_LEFT = "the caller closed the association on which it asked"


class Examining(Protocol):
    """Says which objects are promised."""

    def failures(self, objects: Objects) -> dict[str, int]:
        """Why not, for each SOP Instance UID that is not."""

    def stop(self) -> None:
        """Examine nothing more."""


Tell = Callable[[str, str, Mapping[str, int]], None]
"""Has the receiver report on a named request, on an association, that these objects failed."""


@dataclass(frozen=True, slots=True)
class Try:
    """What came of one: `way` is where the report was heard; else `trouble` says why nowhere."""

    way: str = ""
    failed: int = 0
    trouble: str = ""


@final
class Reporting:
    """Thread-safe; of one request, one try at a time."""

    def __init__(
        self,
        files: RequestFiles,
        examiner: Examining,
        tell: Tell,
        settings: Settings,
        clock: Callable[[], datetime],
    ) -> None:
        self._files = files
        self._examiner = examiner
        self._tell = tell
        self._settings = settings
        self._clock = clock
        self._open: set[str] = set()
        self._answers: dict[str, SimpleQueue[tuple[int | None, str]]] = {}
        self._held: dict[str, tuple[datetime, str]] = {}

    def asked(self, association: str) -> None:
        """A request came on this association, which is open."""
        self._open.add(association)

    def told(self, name: str, status: int | None, why: str) -> None:
        """What the receiver says of a report that it was to tell."""
        if (answers := self._answers.get(name)) is not None:
            answers.put((status, why))

    def closed(self, association: str) -> None:
        """This association is over."""
        self._open.discard(association)

    def stop(self) -> None:
        """Examine nothing more."""
        self._examiner.stop()

    def is_due(self, name: str) -> bool:
        """Whether it is time to try; a time that lies too far ahead is from before the clock was set."""
        now = self._clock()
        until, _ = self._held.get(name, (now, ""))
        if now < until <= now + _HOLD_OFF:
            return False
        progress = self._files.progress(name)
        if progress is None or progress.next_try_at is None:
            return True
        furthest = now + timedelta(seconds=self._settings.deliver.max_retry_s)
        return not now < progress.next_try_at <= furthest

    def attempt(self, name: str) -> None:
        """Try once, and write down what came of it. Whatever prevents a try leaves everything as it was."""
        try:
            request = self._files.read(name)
        except FileNotFoundError:
            return
        except ValueError as error:
            log.error("commitment-unreadable", reason=str(error))
            self._files.drop(name)
            return
        try:
            self._settle(name, request, self._try(name, request))
            self._held.pop(name, None)
        except (OSError, Postponed, StoreUnavailable) as error:
            self._hold(name, str(error))

    def _hold(self, name: str, reason: str) -> None:
        if reason != self._held.get(name, (None, ""))[1]:
            log.warning("commitment-waits", reason=reason)
        self._held[name] = self._clock() + _HOLD_OFF, reason

    def _try(self, name: str, request: CommitmentRequest) -> Try:
        @cache
        def failed() -> dict[str, int]:
            if request.reused:
                return dict.fromkeys((uid for _, uid in request.objects), TRANSACTION_IN_USE)
            return self._examiner.failures(request.objects)

        way, trouble = way_to(request, self._settings.receive.callers), _LEFT
        if request.association in self._open:
            trouble = self._on_its_own(name, request, failed())
            if not trouble:
                return Try(_HERE, len(failed()))
            if trouble == _BUSY and way is None:
                raise Postponed(trouble)
        if way is None:
            return Try(trouble=f"{trouble}, and receive.callers names no port for {request.calling}")
        return self._elsewhere(way, request, failed)

    def _on_its_own(self, name: str, request: CommitmentRequest, failed: Mapping[str, int]) -> str:
        """Report on the association that asked; why that did not work, or nothing."""
        answers: SimpleQueue[tuple[int | None, str]] = SimpleQueue()
        self._answers[name] = answers
        try:
            self._tell(name, request.association, failed)
            status, why = answers.get(timeout=self._settings.deliver.timeout_s)
        except Empty:
            status, why = None, "unanswered"
        finally:
            del self._answers[name]
        if status == SUCCESS:
            return ""
        if status is not None:
            return f"the caller answered the report with {status:04X}H"
        if why == "busy":
            return _BUSY
        self._open.discard(request.association)
        return (
            _LEFT if why == "gone" else "the caller did not answer the report on the association that asked"
        )

    def _elsewhere(
        self, way: Way, request: CommitmentRequest, failed: Callable[[], Mapping[str, int]]
    ) -> Try:
        try:
            status = send_report(
                way, self._settings, lambda: report(request.transaction_uid, request.objects, failed())
            )
        except DestinationError as error:
            return Try(trouble=f"{error}; {way.source}")
        if status != SUCCESS:
            return Try(trouble=f"{request.calling} at {way} answered the report with {status:04X}H")
        return Try(str(way), len(failed()))

    def _settle(self, name: str, request: CommitmentRequest, tried: Try) -> None:
        at = self._clock()
        before = self._files.progress(name)
        attempts = (before.attempts if before and before.standing is Standing.WAITING else 0) + 1
        count = len(request.objects)
        standing, comment, again_at = Standing.WAITING, tried.trouble, None
        if tried.way:
            standing = Standing.REPORTED
            comment = f"{count - tried.failed} of {count} committed, reported {tried.way}"
        elif at - request.asked_at >= timedelta(hours=self._settings.deliver.give_up_after_h):
            standing = Standing.GIVEN_UP
        else:
            again_at = at + back_off(attempts, self._settings.deliver)
        whose = request.calling, request.transaction_uid
        self._files.note(name, Progress(standing, *whose, count, attempts, at, again_at, comment))
        _say(standing, request, comment, attempts)


def _say(standing: Standing, request: CommitmentRequest, comment: str, attempts: int) -> None:
    facts = {"calling": request.calling, "transaction": request.transaction_uid, "reason": comment}
    match standing:
        case Standing.REPORTED:
            log.info("commitment-reported", **facts)
        case Standing.GIVEN_UP:
            log.error("commitment-given-up", **facts)
        case Standing.WAITING:
            log.warning("commitment-not-reported", attempt=attempts, **facts)
