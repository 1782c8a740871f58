"""The node as requestor: what it proposes, and what it makes of every answer."""

from collections.abc import Iterator

from pydicom.uid import UID

from dicom_node.conformance import BASIC
from dicom_node.delivery.couriers import DOUBTFUL_TRIES
from dicom_node.delivery.dimse_status import ANSWERS, Answer, Verdict, verdict_on
from dicom_node.delivery.prover import LINGER_S, MOST_QUESTIONS, MOST_RESENDS, SILENT_TRANSACTIONS
from dicom_node.statement.markdown import code, table
from reports import Creation, sr_forms

_HEAD = """\
## 4. Delivering: the node as requestor

### 4.1 Association policy
"""
_POLICY = (
    (
        "Associations",
        "one per study and destination; one at a time to each destination, and one more for proof; all "
        "destinations in parallel",
    ),
    ("Asynchronous operations", "not proposed: the next request waits for the answer"),
    ("Role selection", "for C-GET, as storage SCP; for reports on commitment, as its SCP (section 3.6)"),
    ("Extended negotiation, user identity", "not proposed"),
    ("Time-out", "`deliver.timeout_s` for the connection, the association and each answer"),
    ("End", "released after the last answer; left to the peer after one that did not come"),
)
_CONTEXTS = """\
### 4.2 Presentation contexts proposed

For each object to send one context: its SOP class with {syntaxes}.
A structured report is offered as each of its forms, and sent as the first of them that was accepted:
"""
_FORMS = """\
A report sent as another form has the same content and a SOP Instance UID of its own, the same at every retry.

### 4.3 What becomes of an object

When the association cannot be opened (no answer, rejected, aborted), nothing is lost: everything for that
destination waits and is tried again. A class that was not accepted is refused if the peer calls it not
supported (result 3 or 4 of PS3.8 table 9-18), and doubtful otherwise. The answers to C-STORE, first match
first:
"""
_REACTIONS = {
    Verdict.SENT: "delivered",
    Verdict.WARNING: "delivered, and the warning is kept and shown",
    Verdict.LATER: "sent again after `deliver.first_retry_s`, then after twice that, and so on up to "
    "`deliver.max_retry_s`; failed after `deliver.give_up_after_h`",
    Verdict.DOUBTFUL: f"sent again like that, {DOUBTFUL_TRIES} times in all; then failed",
    Verdict.REFUSED: "failed at once; `dicom-node retry` sends it again",
}
_PROOF = """\
No answer, an abort or a lost connection counts as *later*. The other objects of the study are sent all
the same. Of a study with an object that failed, the job is FAILED and `dicom-node show` gives the status
and the peer's comment.

### 4.4 Proof of delivery

`destinations[].proof` says how a destination is asked about what it took; `auto` proposes all three classes
and takes the first that is accepted and works. Two refusals, or {silent} requests for commitment without a
report, are taken for not working.
"""
_WAYS = (
    (
        code("commitment"),
        "N-ACTION, type 1, with all objects of a study; the association stays open for a report "
        f"for {LINGER_S:g} s",
        "committed in a report",
        "failed with reason 0112",
        "asked again after `deliver.max_retry_s`",
    ),
    (
        code("retrieve"),
        "C-GET at IMAGE level, one per object; Role Selection proposes us as storage SCP",
        "every element equal",
        "not given back, and C-FIND does not list it",
        "another object: unproven for good",
    ),
    (
        code("query"),
        "C-FIND at IMAGE level, one per series, with Study, Series and SOP Instance UID",
        "the UID is listed",
        "it is not",
        "a failure: asked again",
    ),
)
_UNPROVEN = f"""\
An object that is missing is sent again, {MOST_RESENDS} times at most. What is not proved within
`deliver.prove_within_h` makes the study unconfirmed; questions go on, with pauses up to
`deliver.max_retry_s`, about {MOST_QUESTIONS} in all, and a proof that comes later counts.
"""
_ECHO = """\
### 4.5 Verification SCU

`dicom-node echo NAME` proposes Verification with {syntaxes}. Only the answer `0000` is taken for alive.

### 4.6 `dicom-node send`

For tests and for moving studies, this command sends files as a scanner would: their own SOP classes, each
with the transfer syntax it is stored in, on as few associations as 128 presentation contexts allow.
"""


def initiation(creation: Creation) -> Iterator[str]:
    """Policies, contexts, and the reaction to every status."""
    syntaxes = " and ".join(syntax.uid.name for syntax in BASIC)
    yield _HEAD
    yield from table(("", ""), _POLICY)
    yield _CONTEXTS.format(syntaxes=syntaxes)
    yield from table(("object", "offered as"), _forms(creation))
    yield _FORMS
    yield from table(
        ("status", "what the node reads in it", "taken as"), map(_answer, (*ANSWERS, _ANY_OTHER))
    )
    yield from table(("taken as", "what the node does"), ((str(v), _REACTIONS[v]) for v in Verdict))
    yield _PROOF.format(silent=SILENT_TRANSACTIONS)
    yield from table(("proof", "request", "proved", "missing", "anything else"), _WAYS)
    yield _UNPROVEN
    yield _ECHO.format(syntaxes=syntaxes)


_ANY_OTHER: Answer = (-1, -1, *verdict_on(-1))


def _forms(creation: Creation) -> Iterator[tuple[str, str]]:
    for sop_class_uid, name in {made.sop_class_uid: made.name for made in creation.objects}.items():
        forms = [UID(form).name for form in sr_forms(sop_class_uid)]
        if len(forms) > 1:
            yield name, ", then ".join(forms)


def _answer(answer: Answer) -> tuple[str, ...]:
    first, last, verdict, words = answer
    codes = code(f"{first:04X}") if first == last else f"{code(f'{first:04X}')} to {code(f'{last:04X}')}"
    return "any other" if answer is _ANY_OTHER else codes, words, str(verdict)
