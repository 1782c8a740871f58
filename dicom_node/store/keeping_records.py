"""What retention asks the store about, frozen."""

from dataclasses import dataclass
from datetime import datetime

from dicom_node.jobs import Job


@dataclass(frozen=True, slots=True)
class KeptStudy:
    """A study whose images could go.

    `since` is when the last image came or the job last moved, whichever is later.
    """

    job: Job
    since: datetime


@dataclass(frozen=True, slots=True)
class MarkedFile:
    """An archived file that was decided to go at `removed_at`."""

    path: str
    removed_at: datetime


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    """One line of a study's history, with its number in the whole of all histories."""

    id: int
    study_instance_uid: str
    at: datetime
    from_state: str | None
    to_state: str
    reason: str
    actor: str
