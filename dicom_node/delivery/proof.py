"""What proof of delivery is, whoever gives it: the ways to ask, and what an answer says of an object."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class Method(StrEnum):
    """How a destination is asked what it holds."""

    COMMITMENT = "commitment"
    """It takes responsibility: Storage Commitment (PS3.4 annex J)."""
    RETRIEVE = "retrieve"
    """It gives the object back, and every element is compared: C-GET (PS3.4 C.4.3)."""
    QUERY = "query"
    """It lists the object: C-FIND (PS3.4 C.4.1)."""
    NONE = "none"


STRONGEST_FIRST = (Method.COMMITMENT, Method.RETRIEVE, Method.QUERY)


class Found(StrEnum):
    """What an answer says of one object."""

    PROVED = "proved"
    MISSING = "missing"
    DIFFERENT = "different"
    """It holds something else under this UID; sending again changes nothing."""
    UNKNOWN = "unknown"
    """No answer, or none that says anything."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one object; `comment` is a sentence for anything but proof."""

    found: Found
    comment: str = ""


@dataclass(frozen=True, slots=True)
class SentObject:
    """An object of ours in the form in which it arrived; `path` is our file of the original form."""

    path: Path
    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str


class Proving(Protocol):
    """A destination as one that can be asked. Every question is about the objects of one study.

    Each method raises DestinationError if nobody could be asked, and ServiceRefused if the answer was no.
    """

    @property
    def address(self) -> str:
        """Where it is; what was found out about it counts for this address."""

    @property
    def wish(self) -> str:
        """How config.yaml wants it asked: a `Method`, or "auto"."""

    def offers(self) -> list[Method]:
        """What it accepts when it is proposed, the strongest first."""

    def commit(
        self, transaction_uid: str, objects: Sequence[SentObject], linger_s: float
    ) -> list[Finding] | None:
        """Ask it to commit; what it reported within `linger_s`, or None if the report is to come."""

    def retrieve(self, objects: Sequence[SentObject]) -> list[Finding]:
        """Get each object back and compare it with ours."""

    def query(self, objects: Sequence[SentObject]) -> list[Finding]:
        """Look for each object in the list of its series."""


Expect = Callable[[str], None]
"""Tells the receiver that a report on this transaction may come."""
