"""Looks again, from time to time, for what destinations have proved to hold: an archive may lose it later."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from dicom_node.config_sections import DeliverSettings
from dicom_node.delivery.destination import Destination
from dicom_node.delivery.proof import Finding, Found, Method
from dicom_node.delivery.prover import MOST_RESENDS, say_settled, sent_object
from dicom_node.errors import DestinationError, ServiceRefused
from dicom_node.store import Store
from dicom_node.store.records import Delivery, ProofOutcome, ProofState
from dicom_node.store.sweeps import SWEEP

log = structlog.get_logger()

_LOOK_EVERY_S = 600.0


@dataclass(frozen=True, slots=True)
class Sweeping:
    """What every sweep needs: where things lie, how often and how far back we look, what time it is."""

    store: Store
    results: Path
    policy: DeliverSettings
    clock: Callable[[], datetime]

    @property
    def every(self) -> timedelta:
        """How long after the last look at an object the next one is due."""
        return timedelta(hours=self.policy.reconcile_every_h or 0)

    @property
    def tick_s(self) -> float:
        """How often to see whether any look is due: seldom, so that little is asked at once."""
        return min(_LOOK_EVERY_S, self.every.total_seconds())


def sweeping_task(
    sweeping: Sweeping, destinations: Sequence[Destination]
) -> Mapping[str, tuple[float, Callable[[], object]]]:
    """What the clock shall call, and how often; nothing where config.yaml wants no looks."""
    if sweeping.policy.reconcile_every_h is None:
        return {}
    return {"sweep": (sweeping.tick_s, lambda: sweep(sweeping, destinations))}


def sweep(sweeping: Sweeping, destinations: Sequence[Destination]) -> None:
    """One round at every destination that is asked for proof, one after the other; each is bounded."""
    for destination in destinations:
        if destination.proving is not None:
            sweep_due(sweeping, destination)


def sweep_due(sweeping: Sweeping, destination: Destination) -> int:
    """Look for what is due at one destination, in the lists of its series; for how many objects.

    Listing is all that is asked, whatever the method of proof was: it is cheap, and it is loss that is looked
    for, not change.
    """
    policy, now = sweeping.policy, sweeping.clock()
    oldest = now - timedelta(days=policy.reconcile_days)
    due = sweeping.store.sweeps.due(destination.name, now, sweeping.every, oldest)
    if not due:
        return 0
    try:
        findings = destination.proof.query([sent_object(sweeping.results, one) for one in due])
    except ServiceRefused as error:
        log.info("not-reconciled", destination=destination.name, reason=str(error))
        later = [ProofOutcome(one.id, None, "", again_at=now + sweeping.every) for one in due]
        sweeping.store.sweeps.note(later, now)
        return len(due)
    except DestinationError as error:
        log.warning("not-reconciled", destination=destination.name, reason=str(error))
        return 0
    outcomes = [_outcome(sweeping, one, finding) for one, finding in zip(due, findings, strict=True)]
    say_settled(sweeping.store.sweeps.note(outcomes, now))
    _tell(destination.name, due, outcomes)
    return len(due)


def _outcome(sweeping: Sweeping, delivery: Delivery, finding: Finding) -> ProofOutcome:
    again_at = sweeping.clock() + sweeping.every
    if finding.found is Found.PROVED:
        method = Method.QUERY if delivery.proof_method == SWEEP else delivery.proof_method
        return ProofOutcome(delivery.id, ProofState.PROVED, method, again_at=again_at)
    comment = f"{finding.comment} any more"
    if not sweeping.policy.reconcile_resend:
        return ProofOutcome(delivery.id, ProofState.UNPROVEN, SWEEP, comment, again_at)
    if delivery.resends < MOST_RESENDS:
        return ProofOutcome(delivery.id, None, SWEEP, comment, sweeping.clock(), resend=True)
    comment = f"{comment}; sent again {MOST_RESENDS} times"
    return ProofOutcome(delivery.id, ProofState.UNPROVEN, SWEEP, comment, again_at)


def _tell(name: str, due: Sequence[Delivery], outcomes: Sequence[ProofOutcome]) -> None:
    missing = [one for one in outcomes if one.proof is not ProofState.PROVED]
    resent = sum(one.resend for one in missing)
    say = log.error if missing else log.info
    say("reconciled", destination=name, objects=len(due), missing=len(missing), resent=resent)
