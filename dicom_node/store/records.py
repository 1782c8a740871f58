"""What goes into the store and what comes out of it, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dicom_node.store.states import ARRIVED as ARRIVED
from dicom_node.store.states import DeliveryState as DeliveryState
from dicom_node.store.states import ProofState as ProofState


@dataclass(frozen=True, slots=True)
class NewInstance:
    """One archived file.

    Attributes:
        path: relative to the archive's root; the row's identity.
        digest: SHA-256 of the encoded dataset.
        received_at: when the file was written; of two files with one UID the later is current.
        facts: `InstanceFacts.as_json()`, None for a file nobody could read or whose pixels were discarded.
        kept: False for a note about an object whose pixels were discarded: it opens no study.
        unusable: why it cannot be analysed, one sentence; empty if it can.
        study_instance_uid: empty for an unreadable file of which nobody knows where it belongs.
        series_instance_uid: empty for an unreadable file, or a note.
    """

    path: str
    digest: str
    received_at: datetime
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    sop_instance_uid: str = ""
    sop_class_uid: str = ""
    transfer_syntax_uid: str = ""
    source_ae_title: str = ""
    patient_id: str = ""
    modality: str = ""
    series_number: int | None = None
    series_description: str = ""
    pixel_offset: int | None = None
    pixel_length: int | None = None
    facts: Mapping[str, Any] | None = None
    kept: bool = True
    unusable: str = ""


@dataclass(frozen=True, slots=True)
class NewResult:
    """One finished object on disk; `kind` is the report's: "sr", "text", "summary", "attention", "notice"."""

    kind: str
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class Result:
    """A finished object as remembered: which model made it from what, and whether it still stands.

    `run_id` is None for what was made before runs were remembered; `weights_sha256` is empty for a notice.
    """

    id: int
    kind: str
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    path: str
    digest: str
    weights_sha256: str
    inputs_key: str
    generation: int
    made_at: datetime
    current: bool
    superseded_at: datetime | None
    run_id: int | None


NOTICE = "notice"
"""The kind of a structured report that says why there is no result."""
DOCUMENTS = ("sr", "text", NOTICE)
"""The kinds of structured reports on a whole study; a new one names those it replaces."""
NOTICES = (NOTICE, "notice-page")
"""What goes out of a study that was rejected or has failed."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One object on its way to one destination.

    `attempts` includes the try for which it was handed out. `sop_*_uid` are the object's own, `sent_*`
    those of the form the destination took. `proof_tries` are the questions since it was sent last, `resends`
    how often it was sent again because it was missing.
    """

    id: int
    destination: str
    state: DeliveryState
    attempts: int
    created_at: datetime
    next_try_at: datetime
    status: int | None
    comment: str
    sent_sop_class_uid: str
    sent_sop_instance_uid: str
    sent_at: datetime | None
    study_instance_uid: str
    kind: str
    path: str
    digest: str
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    current: bool
    proof: ProofState = ProofState.UNASKED
    proof_method: str = ""
    proof_comment: str = ""
    proof_tries: int = 0
    resends: int = 0
    result_id: int = 0


@dataclass(frozen=True, slots=True)
class ProofOutcome:
    """What came of asking a destination for one object.

    Attributes:
        proof: what is known now; None leaves it as it was.
        method: by which it was asked.
        comment: one sentence for anything but proof.
        again_at: when it is asked, or sent, again; None for never.
        resend: the object is missing there, and is to be sent again.
    """

    delivery_id: int
    proof: ProofState | None
    method: str
    comment: str = ""
    again_at: datetime | None = None
    resend: bool = False


@dataclass(frozen=True, slots=True)
class RememberedMethod:
    """How a destination proves what it holds, as it was found out: the best of those in `offered`."""

    destination: str
    address: str
    method: str
    offered: tuple[str, ...]
    probed_at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """What came of one try.

    Attributes:
        state: SENT, WARNING, FAILED (given up or refused for good) or PENDING (try again at `next_try_at`).
        status: the C-STORE status, None if there was no answer.
        comment: the Error Comment or the reason, one sentence.
        reached: False only if the object surely never left us (nobody answered the association request).
        ask_proof: whether the destination is to prove that it holds the object, once it has arrived.
    """

    state: DeliveryState
    status: int | None = None
    comment: str = ""
    next_try_at: datetime | None = None
    sent_sop_class_uid: str = ""
    sent_sop_instance_uid: str = ""
    reached: bool = True
    ask_proof: bool = False


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One line of a study's history. Equal states: nothing moved, but it is worth knowing."""

    at: datetime
    from_state: str | None
    to_state: str
    generation: int
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """What the node holds of one series; `unusable` are the distinct reasons of files it cannot analyse.

    Notes, and files nobody could read, belong to no series and are gathered under an empty UID.
    """

    series_instance_uid: str
    modality: str
    series_number: int | None
    series_description: str
    images: int
    discarded: int
    replaced: int
    missing: int
    removed: int
    unusable: tuple[str, ...]
