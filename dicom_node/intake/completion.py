"""When a study is complete: decided by content first, by time last. No clock, no database."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from dicom_node.config_sections import CompleteSettings
from pipeline import CineStack, Completeness


class Decision(StrEnum):
    """What is to be done about a study that is still open."""

    READY = "ready"
    WAIT = "wait"
    REJECT = "reject"


class Rule(StrEnum):
    """Why. Stored with the study and shown to people."""

    SENDING = "the sender's association is still open"
    STATED = "grid full, slice count stated"
    SETTLED = "grid full, no other slice came"
    SETTLING = "grid full, slice count not stated"
    QUIET = "grid incomplete, quiet time over"
    INCOMPLETE = "grid incomplete"
    NO_CINE = "nothing to analyse, quiet time over"
    NO_CINE_YET = "nothing to analyse so far"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one look at a study came to.

    Attributes:
        sentence: what was found, for people; the reason when the study is rejected.
        evidence: what the finding rests on.
        confidence: 0..1, how sure the grid is.
        wait_s: when WAIT: time alone may change the decision after so long.
    """

    decision: Decision
    rule: Rule
    sentence: str
    evidence: tuple[str, ...] = ()
    confidence: float = 0.0
    wait_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Strings, numbers and lists only; without the wait, which each look changes."""
        values = asdict(self)
        del values["wait_s"]
        return values | {"evidence": list(self.evidence)}


def sender_busy(
    associations_open: bool, since_last_image_s: float, settings: CompleteSettings
) -> Verdict | None:
    """The verdict as long as a sender is at work; None once it let go, or hung for the quiet time."""
    wait_s = settings.quiet_s - since_last_image_s
    if not associations_open or wait_s <= 0:
        return None
    return Verdict(Decision.WAIT, Rule.SENDING, "images are still coming in", wait_s=wait_s)


def decide(
    judged: Completeness | str,
    associations_open: bool,
    since_last_image_s: float,
    settings: CompleteSettings,
) -> Verdict:
    """What to do about an open study.

    `judged` is the state of its slice x phase grid, or the reason why it has none. A full grid whose size a
    tag states is ready at once; one whose size nothing states after `settle_s`; holes are waited for until
    `quiet_s`, and so is a cine.
    """
    busy = sender_busy(associations_open, since_last_image_s, settings)
    if busy is not None:
        return busy
    if isinstance(judged, str):
        return _without_cine(judged, settings.quiet_s - since_last_image_s)
    if judged.full:
        return _full(judged, min(settings.settle_s, settings.quiet_s) - since_last_image_s)
    return _incomplete(judged, settings.quiet_s - since_last_image_s, settings)


def _without_cine(reason: str, wait_s: float) -> Verdict:
    if wait_s > 0:
        return Verdict(Decision.WAIT, Rule.NO_CINE_YET, reason, wait_s=wait_s)
    return Verdict(Decision.REJECT, Rule.NO_CINE, reason)


def _full(judged: Completeness, wait_s: float) -> Verdict:
    if judged.declared:
        return _about(judged, Decision.READY, Rule.STATED)
    if wait_s > 0:
        return _about(judged, Decision.WAIT, Rule.SETTLING, wait_s)
    return _about(judged, Decision.READY, Rule.SETTLED)


def _incomplete(judged: Completeness, wait_s: float, settings: CompleteSettings) -> Verdict:
    if wait_s > 0:
        return _about(judged, Decision.WAIT, Rule.INCOMPLETE, wait_s)
    wanted = Decision.READY if settings.incomplete == "analyse" else Decision.REJECT
    return _about(judged, wanted, Rule.QUIET)


def _about(judged: Completeness, decision: Decision, rule: Rule, wait_s: float = 0.0) -> Verdict:
    return Verdict(decision, rule, judged.sentence, judged.evidence, judged.confidence, wait_s)


def stack_key(stack: CineStack, digests: Mapping[str, str]) -> str:
    """SHA-256 over UID and digest of every file the stack draws on: equal for equal input.

    `digests` maps SOP Instance UID to the SHA-256 of the file's dataset (`Store.digests`).
    """
    uids = sorted({plane.instance.sop_instance_uid for plane in stack.planes})
    return hashlib.sha256("\n".join(f"{uid} {digests[uid]}" for uid in uids).encode()).hexdigest()
