"""The node as acceptor: who may come in, what is negotiated, what is answered."""

from collections.abc import Iterator

from dicom_node.commitment import (
    INVALID_VALUE,
    LONGEST_REPORT_BYTES,
    MOST_OBJECTS,
    NO_SUCH_EVENT,
    NO_SUCH_INSTANCE,
    RESOURCES,
    SUCCESS,
)
from dicom_node.conformance import MAX_PDU_BYTES, STATUSES, Status
from dicom_node.statement.markdown import code, table

_HEAD = """\
## 3. Receiving: the node as acceptor

### 3.1 Association policy
"""
_POLICY = (
    ("Application context", "`1.2.840.10008.3.1.1.1`, the only one of the standard"),
    ("Maximum PDU length", f"{MAX_PDU_BYTES} bytes; a PDU announced as longer than 1 MB ends the connection"),
    ("Simultaneous associations", "`receive.max_associations`"),
    ("Asynchronous operations", "not negotiated: one request at a time on each association"),
    ("Presentation contexts", "for each, the first transfer syntax of section 1.3 that the peer offers"),
    (
        "Role selection",
        "accepted for Storage Commitment, as SCU and as SCP; reports are taken without it, too",
    ),
    ("SOP class extended negotiation", "not negotiated"),
    ("User identity", "not negotiated"),
    (
        "Silence",
        "the association is aborted after `receive.idle_timeout_s`; a connection without a request is closed "
        "after 10 s",
    ),
    ("Shutdown of the node", "objects being stored are answered, then associations are aborted"),
)
_REJECTIONS = (
    (
        "permanent",
        "service user",
        "called AE title not recognized",
        "it calls a title that is not ours, and `receive.require_called_ae` is true",
        "correct the title at the peer",
    ),
    (
        "permanent",
        "service user",
        "calling AE title not recognized",
        "`receive.callers` does not list it, or lists it with another address",
        "add it to `receive.callers`",
    ),
    (
        "transient",
        "service provider (presentation)",
        "local limit exceeded",
        "`receive.max_associations` are open, or `max_associations` of this caller",
        "try again later",
    ),
)
_STORAGE = """\
### 3.3 Storage SCP

Level 2 (full): every attribute is kept, standard and private. The data set is written as it was sent,
without decoding it, behind file meta information of our own (Source Application Entity Title is the
caller's), and it is on the disk before the answer leaves.

| | |
|---|---|
| Coercion | none; no attribute of a received object is changed, added or removed |
| Invalid UIDs (PS3.5 section 9) | kept verbatim, up to 256 characters |
| The same object again | Success, and it is kept once |
| The same SOP Instance UID with other content | Success, both are kept, and the later one counts |
| Our own results coming back (Manufacturer's Model Name `dicom-node`) | Success, and they are discarded |
| Largest object | `receive.max_object_mb`, or the caller's own; in memory twice that for all together |
| How long objects are kept | until an administrator removes them |

Every answer the node gives to C-STORE; those that are no Success carry a sentence in Error Comment
(0000,0902):
"""
_REPORTS = """\
### 3.5 Storage Commitment: reports on what we asked for

An N-EVENT-REPORT may come on the association of the request, or on one that the archive opens. The caller
must be among `receive.callers`, if there are any. The answers to a report:

"""
_ANSWERS = (
    (SUCCESS, "the report is on its way to the database; if it is lost there, the node asks again"),
    (NO_SUCH_INSTANCE, "the SOP Instance is not the well-known one of the Push Model"),
    (NO_SUCH_EVENT, "the Event Type ID is neither 1 nor 2"),
    (
        INVALID_VALUE,
        "the transaction is none of ours, the report cannot be read, or it names more than "
        f"{MOST_OBJECTS} objects",
    ),
    (RESOURCES, f"the report is longer than {LONGEST_REPORT_BYTES // 1_000_000} MB"),
)
_ECHO = """\
### 3.4 Verification SCP

C-ECHO is answered with `0000` (Success) on any association that was accepted.
"""


def acceptance() -> Iterator[str]:
    """Policies, rejections, statuses."""
    yield _HEAD
    yield from table(("", ""), _POLICY)
    yield "### 3.2 Associations that are rejected\n"
    yield from table(("result", "source", "reason", "when", "what to do"), _REJECTIONS)
    yield _STORAGE
    yield from table(("status", "meaning", "when", "what the sender should do"), map(_status, STATUSES))
    yield _ECHO
    yield _REPORTS
    yield from table(("status", "when"), ((code(f"{status:04X}"), when) for status, when in _ANSWERS))


def _status(status: Status) -> tuple[str, ...]:
    return code(f"{status.code:04X}"), status.meaning, status.when, status.sender
