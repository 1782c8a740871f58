"""The engine behind the seam: a worker process, replaced when it dies, by a leaner one if memory is short."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import final

from pydantic import ValidationError

from dicom_node.analysis.engine import AnalysisRequest, AnalysisResult, ModelChoice, Request, TrialRequest
from dicom_node.analysis.worker_command import Places, Start, load_at_once, make_ready, worker_command
from dicom_node.analysis.worker_process import WorkerProcess
from dicom_node.config_sections import LogSettings, ModelSettings
from dicom_node.errors import WorkerDied
from dicom_node.log import logger
from models import LAST, Rung

log = logger(__name__)


@final
class WorkerEngine:
    """A worker process on this machine, kept warm, replaced when it dies.

    Args:
        model: the configured model, and how long a run may take.
        log_settings: how the worker logs, on standard error.
        places: what the worker needs of the file system, if it is to be confined to that.
        start: the model to load as soon as the process starts (requests may name another), and how the
            process stands beside others; None: the configured model, as any other process.
        stderr: file that takes the worker's standard error; None leaves it on ours.
        on_event: told "loading", "ready" and "analysing" as the worker goes along; called from another
            thread, and must not raise.
    """

    def __init__(
        self,
        model: ModelSettings,
        log_settings: LogSettings,
        *,
        places: Places | None = None,
        start: Start | None = None,
        stderr: Path | None = None,
        on_event: Callable[[str], None] = lambda event: None,
    ) -> None:
        self._deadline_s = model.deadline_s
        self._command = worker_command(model, log_settings, places)
        self._start = start or Start(lambda: ModelChoice(model.bundle, model.threshold, model.explain))
        self._command += ["--background"] if self._start.background else []
        self._places = places
        self._stderr = stderr
        self._on_event = on_event
        self._one_at_a_time = threading.Lock()
        self._starting = threading.Lock()
        self._worker: WorkerProcess | None = None
        self._rung = LAST if model.frugal else Rung.USUAL
        self._closed = False

    def start(self) -> None:
        """Start the process now, so that the first study does not wait for the model."""
        self._ready_worker(self._rung)

    def submit(self, request: Request) -> AnalysisResult:
        """One answer; where memory is short, the request goes down `models.ladder`, each rung once."""
        with self._one_at_a_time:
            asked = request.rung if isinstance(request, AnalysisRequest | TrialRequest) else self._rung
            result = self._ask(request, asked)
            for _ in Rung:
                if result.outcome != "oom" or result.below is None:
                    break
                study = request.study_instance_uid if isinstance(request, AnalysisRequest) else ""
                rung = result.below
                log.warning("memory-short", study=study, reason=result.reason, next=str(rung))
                result = self._ask(request, rung)
            return result

    def close(self) -> None:
        with self._starting:
            self._closed = True
            if self._worker is not None:
                self._worker.stop(grace_s=2.0)

    @property
    def pid(self) -> int | None:
        """The worker's process number; None while there is no worker."""
        return self._worker.pid if self._worker and self._worker.alive else None

    def _ask(self, request: Request, rung: Rung) -> AnalysisResult:
        worker = self._ready_worker(rung)
        worker.ask(request.as_json())
        answer = worker.hear(time.monotonic() + self._deadline_s)
        try:
            return AnalysisResult.from_json(answer)
        except ValidationError as error:
            worker.stop(grace_s=0.0)
            raise WorkerDied("the worker gave an answer that makes no sense, and was ended") from error

    def _ready_worker(self, rung: Rung) -> WorkerProcess:
        """The worker, started anew if it is dead or on another rung: what it took it does not give back."""
        with self._starting:
            if self._closed:
                raise WorkerDied("the engine is closed")
            if self._worker is None or not self._worker.alive or self._rung is not rung:
                if self._worker is not None:
                    self._worker.stop(grace_s=0.0)
                if self._places is not None:
                    make_ready(self._places)
                first = self._start.first() if self._start.first else None
                command = [*self._command, "--rung", rung.value, *load_at_once(first)]
                self._worker, self._rung = WorkerProcess(command, self._stderr, self._on_event), rung
            return self._worker
