"""Asks destinations to prove what they took, and decides what follows from the answer."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Protocol

import structlog

from dicom_node.commitment import Report
from dicom_node.config_sections import DeliverSettings
from dicom_node.delivery.back_off import back_off
from dicom_node.delivery.commitment_scu import finding_of
from dicom_node.delivery.methods import choose, drop
from dicom_node.delivery.proof import Expect, Finding, Found, Method, Proving, SentObject
from dicom_node.errors import DestinationError, ServiceRefused
from dicom_node.jobs import Job, State
from dicom_node.store import Store
from dicom_node.store.records import Delivery, ProofOutcome, ProofState

log = structlog.get_logger()

MOST_RESENDS = 3
"""An object that is missing at a destination is sent again so often."""
MOST_QUESTIONS = 100
"""An object is asked about so often; then it waits for a person, or for a late report."""
SILENT_TRANSACTIONS = 2
"""So many requests for commitment without a report: `auto` looks for another way."""
LINGER_S = 5.0
"""A request for commitment keeps its association open so long for a report."""


class Asked(Protocol):
    """A destination as far as proof is concerned."""

    @property
    def name(self) -> str:
        """What commands and tables call it."""

    @property
    def proving(self) -> Proving | None:
        """How it is asked; None if it is not."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What every question needs: where things lie, how patient we are, what time it is, who hears reports."""

    store: Store
    results: Path
    policy: DeliverSettings
    clock: Callable[[], datetime]
    expect: Expect


def prove_due(asking: Asking, destination: Asked) -> int:
    """One round of questions to one destination, one per study; of how many objects."""
    proving = destination.proving
    due = asking.store.proofs.due(destination.name, asking.clock())
    if not due:
        return 0
    if proving is None:  # what was to be proved when it was sent
        say_settled(asking.store.proofs.waive(due, asking.clock()))
        return len(due)
    _ask(asking, destination.name, proving, due)
    return len(due)


def _ask(asking: Asking, name: str, proving: Proving, due: Sequence[Delivery]) -> None:
    method = Method.NONE
    try:
        method = choose(asking.store, name, proving, asking.clock())
        if method is Method.NONE:
            say_settled(asking.store.proofs.waive(due, asking.clock()))
            return
        if method is Method.COMMITMENT and _silent(asking.store, due):
            raise ServiceRefused(f"{name} takes requests for commitment, and does not report")
        for _, study in groupby(due, key=lambda delivery: delivery.study_instance_uid):
            _prove(asking, proving, method, list(study))
    except ServiceRefused as error:
        if any(one.proof_tries for one in due):  # a refusal must come twice, so that it is no accident
            drop(asking.store, name, proving, method)
        _put_off(asking, due, method, str(error))
    except DestinationError as error:
        _put_off(asking, due, method, str(error))


def _prove(asking: Asking, proving: Proving, method: Method, batch: list[Delivery]) -> None:
    objects = [sent_object(asking.results, delivery) for delivery in batch]
    match method:
        case Method.COMMITMENT:
            findings = _commit(asking, proving, batch, objects)
        case Method.RETRIEVE:
            findings = proving.retrieve(objects)
        case _:
            findings = proving.query(objects)
    if findings is not None:
        settle_findings(asking, zip(batch, findings, strict=True), method)


def _commit(
    asking: Asking, proving: Proving, batch: list[Delivery], objects: Sequence[SentObject]
) -> list[Finding] | None:
    """Write the transaction down, tell the receiver, then ask."""
    transaction_uid = f"2.25.{uuid.uuid4().int}"
    at = asking.clock()
    enough = any(one.proof_tries >= MOST_QUESTIONS for one in batch)
    again_at = None if enough else at + timedelta(seconds=asking.policy.max_retry_s)
    asking.store.proofs.open_transaction(transaction_uid, batch, at, again_at)
    asking.expect(transaction_uid)
    findings = proving.commit(transaction_uid, objects, LINGER_S)
    if findings is not None:
        asking.store.proofs.close_transaction(transaction_uid, asking.clock())
    return findings


def take_report(asking: Asking, report: Report) -> None:
    """What a destination reported on an association of its own, at whatever time."""
    asked = asking.store.proofs.asked_in(report.transaction_uid)
    if not asked:
        log.warning("commitment-unknown", transaction=report.transaction_uid)
        return
    asking.store.proofs.close_transaction(report.transaction_uid, asking.clock())
    found = ((one, finding_of(report, one.sent_sop_instance_uid)) for one in asked)
    settle_findings(asking, found, Method.COMMITMENT)


def settle_findings(asking: Asking, found: Iterable[tuple[Delivery, Finding]], method: Method) -> None:
    """Write down what was found, and say what became of the studies."""
    at = asking.clock()
    outcomes = [settle_finding(delivery, finding, method, asking.policy, at) for delivery, finding in found]
    moved = asking.store.proofs.note(outcomes, at)
    for outcome in outcomes:
        if outcome.proof is not ProofState.PROVED:
            log.warning("not-proved", method=method.value, resend=outcome.resend, reason=outcome.comment)
    say_settled(moved)


def settle_finding(
    delivery: Delivery, finding: Finding, method: Method, policy: DeliverSettings, at: datetime
) -> ProofOutcome:
    """What follows for one object: proved, sent again, unproven for good, or asked about again later."""
    open_end = ProofOutcome(delivery.id, None, method.value, finding.comment)
    match finding.found:
        case Found.PROVED:
            return replace(open_end, proof=ProofState.PROVED)
        case Found.MISSING if delivery.resends < MOST_RESENDS:
            again_at = at + back_off(delivery.resends + 1, policy)
            return replace(open_end, again_at=again_at, resend=True)
        case Found.MISSING:
            comment = f"{finding.comment}; sent again {MOST_RESENDS} times"
            return replace(open_end, proof=ProofState.UNPROVEN, comment=comment)
        case Found.DIFFERENT:
            return replace(open_end, proof=ProofState.UNPROVEN)
        case _:
            again_at = at + back_off(delivery.proof_tries + 1, policy)
            return replace(open_end, again_at=again_at if delivery.proof_tries < MOST_QUESTIONS else None)


def expire(store: Store, policy: DeliverSettings, at: datetime) -> None:
    """Say of everything that has been unproven for too long that it is."""
    hours = policy.prove_within_h
    say_settled(store.proofs.expire(at - timedelta(hours=hours), f"no proof within {hours:g} h", at))


def say_settled(moved: Iterable[Job]) -> None:
    """Log where studies have come to; a delivery that is not confirmed is an error."""
    for job in moved:
        say = log.error if job.state is State.UNCONFIRMED else log.info
        say(
            "study-settled",
            study=job.study_instance_uid,
            job=job.id,
            state=str(job.state),
            reason=job.reason,
        )


def _put_off(asking: Asking, due: Sequence[Delivery], method: Method, words: str) -> None:
    unknown = Finding(Found.UNKNOWN, words)
    settle_findings(asking, ((delivery, unknown) for delivery in due), method)


def _silent(store: Store, due: Sequence[Delivery]) -> bool:
    """Whether something was asked about often enough for `auto` to look for another way, if there is one."""
    held = store.proofs.method(due[0].destination)
    if held is None or held.method != Method.COMMITMENT or len(held.offered) == 1:
        return False
    return any(
        one.proof_method == Method.COMMITMENT and one.proof_tries >= SILENT_TRANSACTIONS for one in due
    )


def sent_object(results: Path, delivery: Delivery) -> SentObject:
    """What a destination should hold of this delivery."""
    return SentObject(
        results / delivery.path,
        delivery.study_instance_uid,
        delivery.series_instance_uid,
        delivery.sent_sop_class_uid,
        delivery.sent_sop_instance_uid,
    )
