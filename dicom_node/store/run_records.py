"""What is remembered of a run beside the objects it made, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dicom_node.store.records import Result

if TYPE_CHECKING:
    from pipeline import InstanceFacts

NOBODY = ""
"""Whose weights made a notice; stands in `models` beside the digests."""


@dataclass(frozen=True, slots=True)
class HeldInstance:
    """A file that counts for a study at this moment.

    `path` is relative to the archive's root, `digest` the SHA-256 of the encoded dataset, `facts` what
    its header said.
    """

    path: str
    sop_instance_uid: str
    digest: str
    received_at: datetime
    facts: "InstanceFacts"


@dataclass(frozen=True, slots=True)
class RunInput:
    """A file that a run was given; `used` if planes of the volume were read from it."""

    path: str
    sop_instance_uid: str
    digest: str
    used: bool


@dataclass(frozen=True, slots=True)
class NewRun:
    """A finished run, as `Store.record_results` writes it down.

    Attributes:
        model: who answered; must hold "weights_sha256", which is `NOBODY`'s for a notice.
        inputs_key: stands for all that the answer depends on.
        at: when the run is recorded.
        received: when the first and the last of the inputs came; None without inputs.
        seconds: of work.
        peak_rss_mb: of the worker, in 10^6 bytes.
        inputs: every file that the analysis was given.
        request: what it was asked with, but for files and folders.
        config: the site's choices that the request's configuration digest stands for.
        installation: machine, code and libraries.
        findings: what it found; of the volume, too. Empty for a notice.
    """

    model: Mapping[str, Any]
    inputs_key: str
    at: datetime
    received: tuple[datetime, datetime] | None = None
    seconds: float = 0.0
    peak_rss_mb: float = 0.0
    inputs: tuple[RunInput, ...] = ()
    request: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    installation: Mapping[str, Any] = field(default_factory=dict)
    findings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """A run as remembered; what `NewRun` does not explain is the job's at that time.

    Attributes:
        claimed_at: when it began; the clock that its objects carry.
        verdict: why the study counted as complete (`Verdict.as_json`); empty if nobody said.
    """

    id: int
    study_instance_uid: str
    generation: int
    attempt: int
    received_first_at: datetime | None
    received_last_at: datetime | None
    claimed_at: datetime
    recorded_at: datetime
    seconds: float
    peak_rss_mb: float
    weights_sha256: str
    inputs_key: str
    request: Mapping[str, Any]
    config: Mapping[str, Any]
    installation: Mapping[str, Any]
    findings: Mapping[str, Any]
    verdict: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OwnObject:
    """A result found by the UID it goes by: its own, or that of the form a destination took."""

    result: Result
    study_instance_uid: str
    sent_sop_class_uid: str = ""


@dataclass(frozen=True, slots=True)
class ReceivedInstance:
    """What the index knows of a SOP instance that came in; `unusable` says why it was not kept or read."""

    study_instance_uid: str
    kept: bool
    unusable: str
