"""The inference seam: what a study's analysis is asked with, and what it answers."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import Discriminator, TypeAdapter

from dicom_node.analysis.findings import Findings
from dicom_node.analysis.results import ResultFile
from dicom_node.installation import Installation
from models import Explain, Rung, Trial
from pipeline import InstanceFacts
from reports import Cause, Equipment, PriorReport, Refusal, ReportOptions


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model, its operating point and how its map is made, as in `AnalysisRequest`."""

    bundle: Path | None
    threshold: float | None
    explain: Explain = "auto"


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """One study to analyse; everything its answer may depend on.

    Attributes:
        study_instance_uid: the study the caller believes these files to be.
        paths: the files of the study, any order.
        facts: what the index knows of these files, in the same order; empty if it is to be read again.
        out_dir: the results folder; objects are written below it.
        now: the job's stopped clock (timezone-aware UTC).
        equipment: who signs.
        priors: reports the new one supersedes.
        allow_incomplete: whether holes in the grid may be filled, within the model's contract.
        bundle: folder of the model; None takes the demonstration weights.
        threshold: operating point, 0..1; None takes the model's own.
        behind: the models whose turn it is, one after the other, if the study does not fit the contract of
            the one before.
        options: the site's choices about its reports.
        config_sha256: digest of the settings, for the report's fingerprint.
        rung: how to compute the network; where memory is short, the engine goes down from there.
        explain: how the map is to be made.
        shadow: whether to find only, and to write nothing.
    """

    study_instance_uid: str
    paths: tuple[Path, ...]
    out_dir: Path
    now: datetime
    equipment: Equipment
    priors: tuple[PriorReport, ...] = ()
    allow_incomplete: bool = True
    bundle: Path | None = None
    threshold: float | None = None
    behind: tuple[ModelChoice, ...] = ()
    options: ReportOptions = ReportOptions()
    config_sha256: str = ""
    rung: Rung = Rung.USUAL
    explain: Explain = "auto"
    facts: tuple[InstanceFacts, ...] = ()
    shadow: bool = False
    kind: Literal["analysis"] = "analysis"

    def as_json(self, without: Collection[str] = ()) -> str:
        """One line, some fields left out if wanted."""
        return _REQUEST.dump_json(self, exclude=set(without)).decode()

    @classmethod
    def from_json(cls, line: str | bytes) -> "AnalysisRequest":
        """The inverse of `as_json`.

        Raises:
            pydantic.ValidationError: the line is something else.
        """
        return _REQUEST.validate_json(line)


@dataclass(frozen=True, slots=True)
class NoticeRequest:
    """One study to write a notice on: that it was not analysed, and why. Fields as in `AnalysisRequest`."""

    study_instance_uid: str
    paths: tuple[Path, ...]
    out_dir: Path
    now: datetime
    equipment: Equipment
    refusal: Refusal
    priors: tuple[PriorReport, ...] = ()
    config_sha256: str = ""
    kind: Literal["notice"] = "notice"

    def as_json(self, without: Collection[str] = ()) -> str:
        """One line, some fields left out if wanted."""
        return _NOTICE.dump_json(self, exclude=set(without)).decode()


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """A model to be tried: does it still give the answers that it gave when it was made?

    With `maps`, which methods explain it is proved besides, which needs the framework.
    """

    bundle: Path | None
    rung: Rung = Rung.USUAL
    maps: bool = False
    kind: Literal["trial"] = "trial"

    def as_json(self) -> str:
        """One line."""
        return _TRIAL.dump_json(self).decode()


@dataclass(frozen=True, slots=True)
class ConversionRequest:
    """A SavedModel whose numbers are to become the file `into`; see `models.saved_model`.

    `recipe` is the preprocessing as JSON: it says what grid the network is built for.
    """

    saved_model: Path
    architecture: str
    recipe: str
    into: Path
    kind: Literal["conversion"] = "conversion"

    def as_json(self) -> str:
        """One line."""
        return _CONVERSION.dump_json(self).decode()


StudyRequest = AnalysisRequest | NoticeRequest
ModelRequest = TrialRequest | ConversionRequest
Request = StudyRequest | ModelRequest


def request_from_json(line: str | bytes) -> Request:
    """The inverse of any `as_json`.

    Raises:
        pydantic.ValidationError: the line is something else.
    """
    return _ANY.validate_json(line)


@dataclass(frozen=True, slots=True)
class AnalysisResult:
    """How an analysis ended.

    Attributes:
        outcome: "done"; "rejected" if the images are the reason; "failed" if we are; "no_room" if the disk is
            full, so that the same request may be tried again; "misattributed" if what we made is not the
            images' own, so that nothing of the study may go out; "oom" if memory was short and `below` may
            make do with less.
        reason: a sentence, empty when done.
        findings: what was found; None unless an analysis was done.
        files: the objects written, the SR first; empty unless done.
        seconds: wall time in the worker, loading of the model included.
        peak_rss_mb: the worker's largest resident memory so far, in 10^6 bytes.
        installation: what the worker runs on.
        cause: what the reader of the archive is told; means nothing when done.
        rung: how the network was computed.
        below: the next way to compute it; None if there is none.
        trial: how a model did that was to be tried; None unless that is done.
    """

    outcome: Literal["done", "rejected", "failed", "no_room", "misattributed", "oom"]
    reason: str = ""
    findings: Findings | None = None
    files: tuple[ResultFile, ...] = ()
    seconds: float = 0.0
    peak_rss_mb: float = 0.0
    installation: Installation = Installation()
    cause: Cause = "fault"
    rung: Rung = Rung.USUAL
    below: Rung | None = None
    trial: Trial | None = None

    def as_json(self) -> str:
        """One line."""
        return _RESULT.dump_json(self).decode()

    @classmethod
    def from_json(cls, line: str | bytes) -> "AnalysisResult":
        """The inverse of `as_json`.

        Raises:
            pydantic.ValidationError: the line is something else.
        """
        return _RESULT.validate_json(line)


_REQUEST = TypeAdapter(AnalysisRequest)
_NOTICE = TypeAdapter(NoticeRequest)
_TRIAL = TypeAdapter(TrialRequest)
_CONVERSION = TypeAdapter(ConversionRequest)
_ANY: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Discriminator("kind")])
_RESULT = TypeAdapter(AnalysisResult)


class Engine(Protocol):
    """Analyses one study, or tries one model, at a time, somewhere."""

    def submit(self, request: Request) -> AnalysisResult:
        """Analyse, write a notice, or try a model; returns when done, however it ended.

        Raises:
            WorkerDied: there is no answer, and the same request may be tried again.
        """

    def close(self) -> None:
        """Give back what the engine holds; a running analysis ends without an answer."""
