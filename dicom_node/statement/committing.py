"""The node as provider of storage commitment: what it promises, and how it tells."""

from collections.abc import Iterator

from dicom_node.commitment import (
    CLASS_CONFLICT,
    CLASS_NOT_COMMITTED,
    INVALID_VALUE,
    MOST_OBJECTS,
    NO_SUCH_ACTION,
    NO_SUCH_INSTANCE,
    NO_SUCH_OBJECT,
    PROCESSING_FAILURE,
    RESOURCES,
    SUCCESS,
    TRANSACTION_IN_USE,
)
from dicom_node.committing.clerk import REMEMBERED
from dicom_node.receiver.commitments import MOST_OUTSTANDING
from dicom_node.statement.markdown import code, table

_REQUESTS = f"""\
### 3.6 Storage Commitment SCP: requests to us

N-ACTION, Action Type 1, on any association that was accepted. Success means that the request is on the disk
and will be answered, whatever becomes of the association or of the node. A request may name {MOST_OBJECTS}
objects; of one caller {MOST_OUTSTANDING} may wait for their report. The answers to a request:

"""
_ANSWERS = (
    (SUCCESS, "the report follows"),
    (NO_SUCH_INSTANCE, "the SOP Instance is not the well-known one of the Push Model"),
    (NO_SUCH_ACTION, "the Action Type ID is not 1"),
    (INVALID_VALUE, "it cannot be read, names no object, or a UID is missing or longer than 64 characters"),
    (
        RESOURCES,
        f"it names more than {MOST_OBJECTS} objects; too many requests wait; the disk is below its reserve; "
        "or the node is shutting down",
    ),
    (PROCESSING_FAILURE, "it could not be written to the disk"),
)
_VERDICT = """\
An object is committed if the index knows it as one that was kept, and its data set, read and hashed for this
report, has the digest with which it came. Of several contents under one SOP Instance UID the one that came
last counts. Everything else is in the Failed SOP Sequence:
"""
_FAILURES = (
    (
        NO_SUCH_OBJECT,
        "it never came, its file is gone, retention has removed it, its header could not be read, or it is a "
        "result of a node like us",
    ),
    (CLASS_NOT_COMMITTED, "its class is discarded (section 1.2)"),
    (CLASS_CONFLICT, "it came as another SOP class"),
    (PROCESSING_FAILURE, "the file cannot be read, or its bytes are not those that came"),
    (
        TRANSACTION_IN_USE,
        f"this caller used the transaction for other objects, in the last {REMEMBERED.days} days",
    ),
)
_PROMISE = """\
What is committed stays as long as `retain` in `config.yaml` keeps it: by default for ever, and never on
removable media. It cannot be retrieved from the node; Retrieve AE Title and Storage Media are not sent. The
node is no archive: give it `retain` rules and commitments to suit each other.

The report, N-EVENT-REPORT with Event Type 1 or 2, goes out on the association that asked while that is open
and nothing is being sent on it. Otherwise the node opens one to the caller's port
(`receive.callers[].port`), at the address in its entry, or without one at the address that the request came
from; it proposes Storage Commitment with Role Selection as SCP, by TLS if `receive.tls` is on. It is
sent until it is answered with `0000`, with pauses as in section 4.3, and given up after
`deliver.give_up_after_h`. The objects are looked at anew each time. A caller without a port that has closed
its association cannot be told; `dicom-node doctor` names it.
"""


def committing() -> Iterator[str]:
    """Requests, verdicts, reports."""
    yield _REQUESTS
    yield from table(("status", "when"), map(_row, _ANSWERS))
    yield _VERDICT
    yield from table(("failure reason", "when"), map(_row, _FAILURES))
    yield _PROMISE


def _row(told: tuple[int, str]) -> tuple[str, str]:
    return code(f"{told[0]:04X}"), told[1]
