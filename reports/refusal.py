"""Why a study was not analysed, in words for the reader of the archive.

What the images lack is said as it was found. What went wrong inside the node is the administrator's and
stays in its log: the reader learns that the images are not to blame.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from pydicom.dataset import Dataset

from pipeline import PlaneSource, Study
from reports.context import Equipment, PriorReport

Cause = Literal["incomplete", "no_cine", "contract", "unreadable", "contradictory", "time", "fault"]

_LONGEST = 300  # characters of a detail, which may quote a header
_AGAIN: Final = "The study is then read by itself."
_FAULT: Final = (
    "The images are not the reason, and need not be sent again. The node's administrator has been told, and "
    "starts the study again when the cause is gone."
)
_WORDS: Final[dict[Cause, tuple[str, str]]] = {
    "incomplete": ("Images of the short-axis cine are missing", f"Send the missing images. {_AGAIN}"),
    "no_cine": (
        "No complete short-axis cine was found",
        f"If one was acquired, send all of its images. {_AGAIN}",
    ),
    "contract": (
        "The short-axis cine is not of the kind that the model was made for",
        f"If the scanner or the archive holds more of its images, send them. {_AGAIN}",
    ),
    "unreadable": (
        "Images cannot be read",
        f"Send the images again, uncompressed if that can be chosen. {_AGAIN}",
    ),
    "contradictory": (
        "The images contradict each other",
        f"Check whose images these are, correct them where they are kept, and send the study again. {_AGAIN}",
    ),
    "time": ("Reading the study took longer than the node allows", _FAULT),
    "fault": ("A fault in the node kept it from reading the study", _FAULT),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no result. `detail` is what was found about the images, one sentence; else empty."""

    cause: Cause
    detail: str = ""

    @property
    def reason(self) -> str:
        """What the reader must know."""
        said = _plain(self.detail)
        return _WORDS[self.cause][0] + (f": {said.rstrip('.')}." if said else ".")

    @property
    def remedy(self) -> str:
        """What can be done about it."""
        return _WORDS[self.cause][1]


NOT_NORMAL: Final = "Nothing is said about scar. The absence of a result is not a normal result."
SUPERSEDES: Final = "An earlier result of this node on this study no longer stands."


@dataclass(frozen=True, slots=True, eq=False)
class NoticeContext:
    """Everything a notice may depend on; `now` is the job's stopped clock (timezone-aware UTC).

    `images` are those that were looked at, each file once and at least one, all of one patient.
    """

    study: Study
    images: tuple[PlaneSource, ...]
    refusal: Refusal
    equipment: Equipment
    now: datetime
    priors: tuple[PriorReport, ...] = ()
    config_sha256: str = ""

    @property
    def source_header(self) -> Dataset:
        """The header the notice takes patient, study and scanner from."""
        return self.study.header_of(self.images[0].sop_instance_uid)


def _plain(detail: str) -> str:
    """`detail` on one line, without what it quotes: a series' description is anybody's text."""
    head, quote, rest = detail.partition('"')
    tail = rest.rpartition('"')[2] if quote else ""
    shown = "".join(letter if letter.isprintable() else " " for letter in f"{head}{tail}")
    return " ".join(shown.split())[:_LONGEST].replace(" ,", ",")
