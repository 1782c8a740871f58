"""Takes what is due to its destinations, and writes down how it went."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, final

import structlog

from dicom_node.commitment import Report
from dicom_node.config_sections import DeliverSettings
from dicom_node.delivery.back_off import back_off
from dicom_node.delivery.destination import Destination
from dicom_node.delivery.dimse_status import Verdict, verdict_on
from dicom_node.delivery.guard import objection
from dicom_node.delivery.proof import Expect
from dicom_node.delivery.prover import Asking, expire, prove_due, say_settled, take_report
from dicom_node.delivery.rounds import Rounds
from dicom_node.delivery.storage_scu import ResultObject, SendOutcome
from dicom_node.errors import DestinationError, StoreUnavailable
from dicom_node.store import Store
from dicom_node.store.records import Delivery, DeliveryOutcome, DeliveryState

log = structlog.get_logger()

DOUBTFUL_TRIES = 3
"""An object that a destination says it cannot understand is offered so often."""


@final
class Couriers:
    """Two threads per destination, for sending and for proof: a slow or silent one delays no other."""

    def __init__(
        self,
        store: Store,
        results: Path,
        destinations: Sequence[Destination],
        policy: DeliverSettings,
        clock: Callable[[], datetime],
        expect: Expect = lambda transaction_uid: None,
    ) -> None:
        """`expect` tells the receiver of every transaction on which a report may come."""
        self._store = store
        self._policy = policy
        self._clock = clock
        self._asking = Asking(store, results, policy, clock, expect)
        rounds: dict[str, Callable[[], int]] = {}
        for one in destinations:
            rounds[one.name] = partial(deliver_due, store, results, one, policy, clock)
            rounds[f"{one.name} (proof)"] = partial(prove_due, self._asking, one)
        self._rounds = Rounds(rounds)

    def tick(self) -> None:
        """Close what has nothing left to send; start a round for every destination whose last one is over.

        Does not wait. Closing here, too, settles what a crash left open between a study's last answer and its
        end, and studies whose report stands after images came that it does not depend on.
        """
        finish(self._store, self._clock())
        expire(self._store, self._policy, self._clock())
        self._rounds.tick()

    def take_report(self, event: Mapping[str, Any]) -> None:
        """A destination reported on commitment; `event` is the receiver's line.

        If the database cannot take it now, the question is asked again.
        """
        try:
            take_report(self._asking, Report.from_event(event))
        except StoreUnavailable as error:
            log.warning("commitment-report-lost", reason=str(error))

    def close(self) -> None:
        """Wait for the rounds under way, each bounded by the destination's time-outs."""
        self._rounds.close()


def deliver_due(
    store: Store,
    results: Path,
    destination: Destination,
    policy: DeliverSettings,
    clock: Callable[[], datetime],
) -> int:
    """One round to one destination: every delivery that is due, one association per study; how many.

    An object counts as sent only when its answer is noted, which is done as it comes: a crash in between
    sends the same bytes with the same UID again, which an archive takes for what it is (PS3.4 B.2.3). When
    no association can be opened, everything else that is due waits too, instead of running into the same
    time-out study by study.
    """
    due = store.due_deliveries(destination.name, clock())

    def noting(delivery: Delivery, outcome: SendOutcome) -> None:
        at = clock()
        settled = settle_outcome(delivery, outcome, policy, at)
        _note(store, delivery, replace(settled, ask_proof=destination.proving is not None), at)

    down = ""
    for study, group in groupby(due, key=_study):
        batch = list(group)
        if reason := objection(results, batch, store.keeping.known_facts(study)):
            _withhold(store, batch, reason, clock())
            continue
        if not down:
            down = _send(destination, results, batch, noting)
        if down:
            for delivery in batch:
                noting(delivery, SendOutcome(Verdict.LATER, comment=down))
    if due:
        finish(store, clock())
    return len(due)


def _send(
    destination: Destination,
    results: Path,
    batch: Sequence[Delivery],
    noting: Callable[[Delivery, SendOutcome], None],
) -> str:
    """Send one study's objects, each answer noted as it comes; a sentence if nobody is there to take them."""
    turn = iter(batch)
    try:
        destination.send(
            [_object(results, delivery) for delivery in batch], lambda outcome: noting(next(turn), outcome)
        )
    except DestinationError as error:
        log.warning("destination-down", destination=destination.name, reason=str(error))
        return str(error)
    return ""


def _withhold(store: Store, batch: Sequence[Delivery], reason: str, at: datetime) -> None:
    """Nothing of this study goes anywhere until an operator has looked; these objects have not left us."""
    study = batch[0].study_instance_uid
    store.endings.raise_alarm(study, reason, at)
    log.error("identity-alarm", study=study, reason=reason)
    for delivery in batch:
        unsent = DeliveryOutcome(DeliveryState.CANCELLED, comment=f"withheld: {reason}", reached=False)
        store.note_delivery(delivery.id, unsent, at)


def finish(store: Store, at: datetime) -> None:
    """Settle every study with nothing left to send, and say so."""
    say_settled(store.finish_deliveries(at))


def settle_outcome(
    delivery: Delivery, outcome: SendOutcome, policy: DeliverSettings, at: datetime
) -> DeliveryOutcome:
    """What the delivery comes to: arrived, refused for good, given up, or due again at a later time."""
    state, comment, next_try_at = _next_state(delivery, outcome, policy, at)
    return DeliveryOutcome(
        state=state,
        status=outcome.status,
        comment=comment,
        next_try_at=next_try_at,
        sent_sop_class_uid=outcome.sent_sop_class_uid,
        sent_sop_instance_uid=outcome.sent_sop_instance_uid,
        reached=bool(outcome.sent_sop_instance_uid),
    )


def _next_state(
    delivery: Delivery, outcome: SendOutcome, policy: DeliverSettings, at: datetime
) -> tuple[DeliveryState, str, datetime | None]:
    if (end := _ENDS.get(outcome.verdict)) is not None:
        return end, outcome.comment, None
    if outcome.verdict is Verdict.DOUBTFUL and _doubted_before(delivery, outcome):
        return DeliveryState.FAILED, f"{outcome.comment}; tried {delivery.attempts} times", None
    if at - delivery.created_at >= timedelta(hours=policy.give_up_after_h):
        return DeliveryState.FAILED, f"given up after {policy.give_up_after_h:g} h: {outcome.comment}", None
    return DeliveryState.PENDING, outcome.comment, at + back_off(delivery.attempts, policy)


_ENDS = {
    Verdict.SENT: DeliveryState.SENT,
    Verdict.WARNING: DeliveryState.WARNING,
    Verdict.REFUSED: DeliveryState.FAILED,
}


def _doubted_before(delivery: Delivery, outcome: SendOutcome) -> bool:
    """Whether the tries are used up, the last answer having been a doubtful one like this.

    Doubt at the negotiation has no status to compare.
    """
    last = delivery.status
    again = outcome.status is None or (last is not None and verdict_on(last)[0] is Verdict.DOUBTFUL)
    return again and delivery.attempts >= DOUBTFUL_TRIES


def _note(store: Store, delivery: Delivery, settled: DeliveryOutcome, at: datetime) -> None:
    store.note_delivery(delivery.id, settled, at)
    log.info(
        "delivery-tried",
        study=delivery.study_instance_uid,
        destination=delivery.destination,
        kind=delivery.kind,
        state=settled.state.value,
        reason=settled.comment,
    )


def _object(results: Path, delivery: Delivery) -> ResultObject:
    return ResultObject(results / delivery.path, delivery.sop_class_uid, delivery.sop_instance_uid)


def _study(delivery: Delivery) -> str:
    return delivery.study_instance_uid
