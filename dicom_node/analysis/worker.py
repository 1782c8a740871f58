"""The process that holds the model: one JSON request per line in, one JSON answer per line out.

Standard output is kept for answers alone: its descriptor is duplicated, and descriptor 1 then leads to
standard error, so that nothing a library prints can come between two answers. The process ends when its
input does.
"""

import argparse
import errno
import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO, get_args

import structlog

from dicom_node.analysis.analyse import analyse, read
from dicom_node.analysis.engine import (
    AnalysisRequest,
    AnalysisResult,
    ConversionRequest,
    ModelChoice,
    NoticeRequest,
    TrialRequest,
    request_from_json,
)
from dicom_node.analysis.loaded_models import LoadedModels
from dicom_node.analysis.notice import make_notice
from dicom_node.analysis.private_stdout import private_stdout
from dicom_node.analysis.results import write_results
from dicom_node.analysis.shortage import is_shortage
from dicom_node.analysis.worker_process import EVENT
from dicom_node.confinement import Protection
from dicom_node.errors import Misattributed
from dicom_node.installation import installation
from dicom_node.log import configure
from models import (
    ContractViolation,
    Explain,
    ModelError,
    Rung,
    below,
    computes_on_gpu,
    try_bundle,
    try_with_maps,
)
from pipeline import (
    ContradictoryStudy,
    IncompleteCine,
    NoCine,
    PipelineError,
    UnreadableInstance,
    VoxelMemory,
)
from pipeline.preprocessing import Preprocessing
from reports import Cause, ReportError

log = structlog.get_logger()


class Worker:
    """Answers requests with models that are kept between them and computed as `rung` says."""

    def __init__(self, answers: TextIO, rung: Rung = Rung.USUAL) -> None:
        self._answers = answers
        self._rung = rung
        self._short: BaseException | None = None
        self._models = LoadedModels(rung, lambda: self._event("loading"))
        self._memory = VoxelMemory()
        self._installation = installation()

    def serve(self, requests: Iterable[bytes]) -> None:
        """Answer until `requests` ends."""
        for line in requests:
            started = time.monotonic()
            try:
                result = self._answer(line)
            except Exception as error:
                result = self._ended(error)
                traceback = error if result.outcome not in ("done", "rejected") else None
                log.warning(
                    "analysis-ended", outcome=result.outcome, reason=result.reason, exc_info=traceback
                )
            cost_s = round(time.monotonic() - started, 3)
            cost = replace(result, seconds=cost_s, peak_rss_mb=peak_rss_mb(), rung=self._rung)
            self._say(replace(cost, installation=self._installation).as_json())

    def warm(self, first: ModelChoice) -> None:
        """Load the model ahead of the first request, which will tell what is wrong with it, if anything.

        A framework that found no memory half-way cannot be loaded again: analyses end with that error.
        """
        try:
            self._models.get(first)
        except Exception as error:  # whatever it is, the first request tells
            self._short = error if is_shortage(error) else None
            expected = isinstance(error, ModelError | OSError)
            log.warning("model-not-loaded", reason=str(error), exc_info=None if expected else error)
        self._event("ready")

    def _ended(self, error: Exception) -> AnalysisResult:
        """How an analysis that raised `error` has ended here, where less memory may be needed another way."""
        if is_shortage(error):
            lower = below(self._rung, gpu=computes_on_gpu())
            return AnalysisResult("oom" if lower else "failed", _SHORT, below=lower)
        return outcome(error)

    def _answer(self, line: bytes) -> AnalysisResult:
        request = request_from_json(line)
        if isinstance(request, NoticeRequest):
            return AnalysisResult("done", files=write_results(make_notice(request), request.out_dir))
        if self._short is not None:
            raise MemoryError from self._short
        if isinstance(request, TrialRequest):
            attempt = try_with_maps if request.maps else try_bundle
            return AnalysisResult("done", trial=attempt(request.bundle, self._rung))
        if isinstance(request, ConversionRequest):
            return _converted(request)
        return self._analyse(request)

    def _analyse(self, request: AnalysisRequest) -> AnalysisResult:
        models = self._models.lineup(request)
        self._event("analysing")
        if request.shadow:
            return AnalysisResult("done", findings=read(request, *models, memory=self._memory).findings)
        analysis = analyse(request, *models, memory=self._memory)
        files = write_results(analysis.reports, request.out_dir)
        return AnalysisResult("done", findings=analysis.findings, files=files)

    def _event(self, name: str) -> None:
        self._say(f'{EVENT}{name}"}}')

    def _say(self, line: str) -> None:
        self._answers.write(line + "\n")
        self._answers.flush()


def _converted(request: ConversionRequest) -> AnalysisResult:
    from models.saved_model import weights_from_saved_model

    recipe = Preprocessing.from_json(request.recipe)
    weights_from_saved_model(request.saved_model, request.architecture, recipe, request.into)
    return AnalysisResult("done")


def outcome(error: Exception) -> AnalysisResult:
    """How an analysis that raised `error` has ended, with a sentence.

    "rejected" is for images no second run will like better; everything else is our own failure.
    """
    match error:
        case PipelineError() | ContractViolation():
            return AnalysisResult("rejected", str(error), cause=_CAUSES.get(type(error), "unreadable"))
        case RecursionError():
            nested = "an image nests its sequences too deeply to be read"
            return AnalysisResult("rejected", nested, cause="unreadable")
        case Misattributed():
            return AnalysisResult("misattributed", str(error))
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return AnalysisResult("no_room", "there was no room on the disk to write the results")
        case _:
            return AnalysisResult("failed", _failure(error))


_CAUSES: dict[type[Exception], Cause] = {
    NoCine: "no_cine",
    IncompleteCine: "incomplete",
    ContradictoryStudy: "contradictory",
    UnreadableInstance: "unreadable",
    ContractViolation: "contract",
}


_BEHIND_RECEPTION, _LAST_IN_LINE = 10, 19
"""How nice a worker is: the network would take every core, and images must come in meanwhile.

Not SCHED_IDLE, nor nicer as a group (autogroup, sched(7)): beside busy programs a study would starve.
"""

_SHORT = "the worker ran out of memory; the study may be too large for this machine, or for model.memory_mb"


def _failure(error: Exception) -> str:
    match error:
        case ModelError() | ReportError():
            return str(error)
        case OSError():
            return f"a file could not be read or written: {error.strerror or error} ({error.filename})"
        case _:
            return f"unexpected {type(error).__name__}: {error}; the worker's log has more"


def peak_rss_mb() -> float:
    """The largest resident memory of this process so far, in 10^6 bytes; 0 where the system does not say.

    Not getrusage: its maximum is inherited from whoever started us (Linux, `exec_mmap`).
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    kib = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), "0")
    return round(int(kib) * 1024 / 1e6, 1)


def main(given: Sequence[str] | None = None, protections: Sequence[Protection] = ()) -> None:
    """Serve standard input; `protections` are those this process was started with."""
    parser = argparse.ArgumentParser(prog="python -m dicom_node.analysis.worker", description=__doc__)
    parser.add_argument("--bundle", type=Path, help="model to load at once; none: the demonstration weights")
    parser.add_argument("--cold", action="store_true", help="load no model before one is asked for")
    parser.add_argument("--threshold", type=float, help="operating point, 0..1; none: the model's own")
    parser.add_argument("--rung", type=Rung, choices=list(Rung), default=Rung.USUAL, help="how to compute")
    parser.add_argument("--background", action="store_true", help="let every other process go first")
    parser.add_argument("--explain", choices=get_args(Explain), default="auto", help="how maps are made")
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    parser.add_argument("--log-format", default="console", choices=["console", "json"])
    arguments = parser.parse_args(given)
    os.nice(_LAST_IN_LINE if arguments.background else _BEHIND_RECEPTION)
    worker = Worker(private_stdout(), arguments.rung)
    configure(arguments.log_level, arguments.log_format)
    for one in protections:
        if one.lack:
            log.warning("protection-missing", protection=one.name, reason=one.lack)
    if not arguments.cold:
        worker.warm(ModelChoice(arguments.bundle, arguments.threshold, arguments.explain))
    try:
        worker.serve(sys.stdin.buffer)
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(1)


if __name__ == "__main__":
    main()
