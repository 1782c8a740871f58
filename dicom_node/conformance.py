"""What the node negotiates: one table, for the receiver, the sender and the conformance statement."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from pydicom.uid import UID
from pynetdicom import build_context
from pynetdicom.presentation import PresentationContext

VERIFICATION = UID("1.2.840.10008.1.1")
COMMITMENT = UID("1.2.840.10008.1.20.1")
STUDY_ROOT_FIND = UID("1.2.840.10008.5.1.4.1.2.2.1")
STUDY_ROOT_GET = UID("1.2.840.10008.5.1.4.1.2.2.3")

MAX_PDU_BYTES = 131_072
"""The longest P-DATA-TF we ask for (PS3.8 D.1)."""

SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
DOES_NOT_MATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000


class Role(StrEnum):
    """Who provides the service (PS3.7 D.3.3.4)."""

    SCP = "SCP"
    SCU = "SCU"


class Action(StrEnum):
    """What happens to a received object."""

    ANSWER = "answer"
    ANALYSE = "analyse"
    DISCARD = "discard"
    COMMIT = "commit"
    SEND = "send"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Syntax:
    """A transfer syntax (PS3.5 Annex A); `lossy` ones are accepted and flagged."""

    uid: UID
    lossy: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """One row of the table: a SOP class, in one role, with its transfer syntaxes in order of preference."""

    sop_class_uid: UID
    role: Role
    action: Action
    syntaxes: tuple[Syntax, ...]

    @property
    def name(self) -> str:
        """The name of PS3.6 Table A-1."""
        return self.sop_class_uid.name


@dataclass(frozen=True, slots=True)
class Status:
    """A C-STORE response status (PS3.4 B.2.3) and what it tells the sender."""

    code: int
    meaning: str
    when: str
    sender: str


def _syntaxes(*suffixes: str) -> tuple[Syntax, ...]:
    return tuple(Syntax(UID(f"1.2.840.10008.1.2{suffix}")) for suffix in suffixes)


# Our order decides: the acceptor takes the first of its own list that the requestor offers. What needs no
# decoder comes first, then lossless ones by how well they pack, then the old defaults.
_EXPLICIT = _syntaxes(".1")
_LOSSLESS = _syntaxes(".4.80", ".4.90", ".4.70", ".4.57", ".5")
_PLAIN = _syntaxes(".1.99", "", ".2")
_LOSSY = tuple(Syntax(syntax.uid, lossy=True) for syntax in _syntaxes(".4.50", ".4.51", ".4.81", ".4.91"))

UNCOMPRESSED = _EXPLICIT + _PLAIN
IMAGE = _EXPLICIT + _LOSSLESS + _PLAIN + _LOSSY
BASIC = _syntaxes(".1", "")

_ANALYSED = ("4", "4.1", "4.4")
_DISCARDED_IMAGES = ("4.3", "7", "7.1", "7.2", "7.3", "7.4", "3.1", "6.1", "30", "66.4")
_DISCARDED_OBJECTS = (
    *("4.2", "66", "66.1", "67"),
    *("88.11", "88.22", "88.33", "88.34", "88.35", "88.40", "88.59", "88.67"),
    *("11.1", "11.2", "11.3", "11.4", "11.8"),
    "104.1",
)
_SENT_REPORTS = ("88.34", "88.33", "88.22", "88.11")
_SENT_IMAGES = ("7", "7.4", "30", "66.4")
_SENT_OBJECTS = ("88.59", "11.1", "104.1")


def _storage(suffix: str) -> UID:
    return UID(f"1.2.840.10008.5.1.4.1.1.{suffix}")


def _table() -> Iterator[Service]:
    yield Service(VERIFICATION, Role.SCP, Action.ANSWER, BASIC)
    for suffix in _ANALYSED:
        yield Service(_storage(suffix), Role.SCP, Action.ANALYSE, IMAGE)
    for suffix in _DISCARDED_IMAGES:
        yield Service(_storage(suffix), Role.SCP, Action.DISCARD, IMAGE)
    for suffix in _DISCARDED_OBJECTS:
        yield Service(_storage(suffix), Role.SCP, Action.DISCARD, UNCOMPRESSED)
    yield Service(COMMITMENT, Role.SCP, Action.COMMIT, BASIC)
    yield Service(VERIFICATION, Role.SCU, Action.SEND, BASIC)
    for suffix in _SENT_REPORTS + _SENT_IMAGES + _SENT_OBJECTS:
        yield Service(_storage(suffix), Role.SCU, Action.SEND, BASIC)
    for sop_class in (COMMITMENT, STUDY_ROOT_GET, STUDY_ROOT_FIND):
        yield Service(sop_class, Role.SCU, Action.ASK, BASIC)


SERVICES: tuple[Service, ...] = tuple(_table())
"""Everything the node offers and asks for."""

STATUSES = (
    Status(
        SUCCESS,
        "Success",
        "The object is on the disk, or was there with the same bytes, or is of a class that is discarded.",
        "Nothing more to do. Success is not storage commitment.",
    ),
    Status(
        OUT_OF_RESOURCES,
        "Refused: out of resources",
        "The disk is below its reserve, full or read-only; the object is larger than allowed; or the node is "
        "shutting down. The Error Comment says which.",
        "Send again later; for an object too large, change `receive.max_object_mb`.",
    ),
    Status(
        DOES_NOT_MATCH,
        "Error: data set does not match SOP class",
        "The SOP Class or SOP Instance UID in the data set differs from the one in the command.",
        "Do not send again unchanged.",
    ),
    Status(
        CANNOT_UNDERSTAND,
        "Error: cannot understand",
        "The data set is cut short or cannot be parsed, or has no SOP Class, SOP Instance or Study Instance "
        "UID. The Error Comment says which.",
        "Do not send again unchanged.",
    ),
)
"""Every status the storage SCP returns."""


def accepted_contexts(*, discard: bool = True) -> list[PresentationContext]:
    """What the receiver accepts; without `discard`, nothing that it would discard.

    Storage Commitment is among it in both roles, for requests to us and for the reports on what we asked for:
    a peer that opens an association to report proposes itself as SCP, or no role at all (PS3.4 J.3.3).
    """
    offered = (service for service in SERVICES if service.role is Role.SCP)
    return [_context(service) for service in offered if discard or service.action is not Action.DISCARD]


@cache
def action_of(sop_class_uid: str) -> Action | None:
    """What the receiver does with an object of this class; None if it does not accept it."""
    for service in SERVICES:
        if service.role is Role.SCP and service.sop_class_uid == sop_class_uid:
            return service.action
    return None


def _context(service: Service) -> PresentationContext:
    context = build_context(service.sop_class_uid, [syntax.uid for syntax in service.syntaxes])
    if service.action is Action.COMMIT:
        context.scu_role = context.scp_role = True
    return context
