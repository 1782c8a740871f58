"""Rounds of delivery: a real store, real files, real storage SCPs, and a clock that we turn."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pynetdicom import evt

from dicom_node.config_sections import Destination
from dicom_node.delivery.back_off import back_off
from dicom_node.delivery.couriers import Couriers, deliver_due, finish, settle_outcome
from dicom_node.delivery.destination import Pacs
from dicom_node.delivery.dimse_status import Verdict
from dicom_node.delivery.storage_scu import SendOutcome
from dicom_node.jobs import State
from dicom_node.migrations import migrate
from dicom_node.store import Store
from dicom_node.store.records import Delivery, DeliveryState
from tests.dicom_node.delivering import POLICY, SC, SR, START, Clock, finish_study, job_state, states
from tests.dicom_node.storage_scp import storage_scp, write_object
from tests.peers.presence import free_port


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'node.db'}"
    migrate(url)
    store = Store(url)
    yield store
    store.close()


def test_a_study_is_delivered_when_every_object_was_answered_with_success(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    finish_study(store, tmp_path, "1.2.3", "pacs")
    with storage_scp() as scp:
        assert deliver_due(store, tmp_path, scp.pacs(), POLICY, clock) == 2
        assert deliver_due(store, tmp_path, scp.pacs(), POLICY, clock) == 0
    assert scp.associations == 1
    assert [str(dataset.SOPInstanceUID) for dataset in scp.taken] == ["2.25.1", "2.25.2"]
    assert states(store, "1.2.3") == ["sent", "sent"]
    assert job_state(store, "1.2.3") == (State.DELIVERED, "2 of 2 delivered")


def test_an_answer_is_noted_while_the_next_object_is_under_way(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    finish_study(store, tmp_path, "1.2.3", "pacs")
    meanwhile: list[list[str]] = []

    def answer(event: evt.Event) -> int:
        meanwhile.append(states(store, "1.2.3"))
        return 0x0000

    with storage_scp(answer=answer) as scp:
        deliver_due(store, tmp_path, scp.pacs(), POLICY, clock)
    assert meanwhile == [["pending", "pending"], ["sent", "pending"]]


def test_each_study_has_an_association_of_its_own(store: Store, tmp_path: Path, clock: Clock) -> None:
    for study in ("1.2.3", "1.2.4"):
        finish_study(store, tmp_path, study, "pacs")
    with storage_scp() as scp:
        assert deliver_due(store, tmp_path, scp.pacs(), POLICY, clock) == 4
    assert scp.associations == 2
    assert [str(dataset.StudyInstanceUID) for dataset in scp.taken] == ["1.2.3", "1.2.3", "1.2.4", "1.2.4"]


def test_a_warning_is_kept_with_the_delivery(store: Store, tmp_path: Path, clock: Clock) -> None:
    finish_study(store, tmp_path, "1.2.3", "pacs")
    with storage_scp(answer=lambda event: 0xB000) as scp:
        deliver_due(store, tmp_path, scp.pacs(), POLICY, clock)
    assert states(store, "1.2.3") == ["warning", "warning"]
    first = store.deliveries("1.2.3")[0]
    assert (first.status, first.comment) == (0xB000, "pacs: stored, with data elements coerced (B000H)")
    assert job_state(store, "1.2.3")[0] is State.DELIVERED


def test_a_full_destination_is_asked_again_later_and_gets_only_what_it_lacks(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    finish_study(store, tmp_path, "1.2.3", "pacs")
    full = threading.Event()
    full.set()

    def answer(event: evt.Event) -> int:
        return 0xA700 if full.is_set() and event.request.AffectedSOPClassUID == SC else 0x0000

    with storage_scp(answer=answer) as scp:
        deliver_due(store, tmp_path, scp.pacs(), POLICY, clock)
        assert states(store, "1.2.3") == ["sent", "pending"]
        assert store.deliveries("1.2.3")[1].next_try_at == START + timedelta(seconds=10)
        full.clear()
        assert deliver_due(store, tmp_path, scp.pacs(), POLICY, clock) == 0
        clock.pass_by(10)
        assert deliver_due(store, tmp_path, scp.pacs(), POLICY, clock) == 1
    assert [str(dataset.SOPInstanceUID) for dataset in scp.taken] == ["2.25.1", "2.25.2"]
    assert job_state(store, "1.2.3")[0] is State.DELIVERED


def test_a_destination_that_comes_back_gets_everything(store: Store, tmp_path: Path, clock: Clock) -> None:
    for study in ("1.2.3", "1.2.4"):
        finish_study(store, tmp_path, study, "pacs")
    settings = Destination(name="pacs", host="127.0.0.1", port=free_port(), ae_title="PACS")
    pacs = Pacs(settings, "DICOMNODE", 5.0)
    deliver_due(store, tmp_path, pacs, POLICY, clock)
    waiting = store.deliveries("1.2.3") + store.deliveries("1.2.4")
    assert {delivery.state for delivery in waiting} == {DeliveryState.PENDING}
    assert {delivery.comment for delivery in waiting} == {
        f"pacs: nobody answers at 127.0.0.1:{settings.port}"
    }
    assert store.priors("1.2.3") == []  # the report surely reached nobody
    clock.pass_by(10)
    with storage_scp(port=settings.port) as scp:
        deliver_due(store, tmp_path, pacs, POLICY, clock)
    assert len(scp.taken) == 4
    assert job_state(store, "1.2.3")[0] is State.DELIVERED
    assert job_state(store, "1.2.4")[0] is State.DELIVERED


def test_an_aborted_object_may_have_arrived_and_is_sent_again(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    finish_study(store, tmp_path, "1.2.3", "pacs")
    first = threading.Event()

    def abort_once(event: evt.Event) -> int:
        if not first.is_set():
            first.set()
            event.assoc.abort()
        return 0x0000

    with storage_scp(answer=abort_once) as scp:
        deliver_due(store, tmp_path, scp.pacs(), POLICY, clock)
        assert states(store, "1.2.3") == ["pending", "pending"]
        assert [str(prior.sop_instance_uid) for prior in store.priors("1.2.3")] == ["2.25.1"]
        clock.pass_by(10)
        deliver_due(store, tmp_path, scp.pacs(), POLICY, clock)
    assert [str(dataset.SOPInstanceUID) for dataset in scp.taken] == ["2.25.1", "2.25.1", "2.25.2"]
    assert scp.taken[0] == scp.taken[1]
    assert job_state(store, "1.2.3")[0] is State.DELIVERED


def test_a_class_refused_for_good_fails_the_study_but_not_the_other_objects(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    finish_study(store, tmp_path, "1.2.3", "pacs")
    with storage_scp(classes=(SC,)) as scp:
        deliver_due(store, tmp_path, scp.pacs(), POLICY, clock)
    assert states(store, "1.2.3") == ["failed", "sent"]
    state, reason = job_state(store, "1.2.3")
    assert state is State.FAILED
    assert "pacs does not accept Comprehensive 3D SR Storage" in reason


def test_an_object_nobody_understands_is_offered_three_times(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    finish_study(store, tmp_path, "1.2.3", "pacs")
    with storage_scp(answer=lambda event: 0xC000) as scp:
        for expected in ("pending", "pending", "failed"):
            deliver_due(store, tmp_path, scp.pacs(), POLICY, clock)
            assert states(store, "1.2.3") == [expected, expected]
            clock.pass_by(60)
    assert store.deliveries("1.2.3")[0].comment == (
        "pacs: it cannot understand the object (C000H); tried 3 times"
    )


def test_a_destination_that_stays_away_is_given_up_and_retry_starts_it_again(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    finish_study(store, tmp_path, "1.2.3", "pacs")
    port = free_port()
    gone = Pacs(Destination(name="pacs", host="127.0.0.1", port=port, ae_title="PACS"), "DICOMNODE", 5.0)
    deliver_due(store, tmp_path, gone, POLICY, clock)
    clock.pass_by(3600)
    deliver_due(store, tmp_path, gone, POLICY, clock)
    assert states(store, "1.2.3") == ["failed", "failed"]
    assert store.deliveries("1.2.3")[0].comment == (
        f"given up after 1 h: pacs: nobody answers at 127.0.0.1:{port}"
    )
    assert job_state(store, "1.2.3")[0] is State.FAILED
    assert store.retry("1.2.3", clock())
    with storage_scp(port=port):
        deliver_due(store, tmp_path, gone, POLICY, clock)
    assert job_state(store, "1.2.3")[0] is State.DELIVERED


def test_a_silent_destination_does_not_delay_another(store: Store, tmp_path: Path, clock: Clock) -> None:
    finish_study(store, tmp_path, "1.2.3", "pacs", "silent")
    release, stalled, arrived = threading.Event(), threading.Event(), threading.Event()

    def stall(event: evt.Event) -> int:
        stalled.set()
        release.wait(30)
        return 0x0000

    def arrive(event: evt.Event) -> int:
        if event.request.AffectedSOPClassUID == SC:
            arrived.set()
        return 0x0000

    with storage_scp(answer=stall) as silent, storage_scp(answer=arrive) as quick:
        slow = Pacs(silent.settings.model_copy(update={"name": "silent"}), "DICOMNODE", 30.0)
        couriers = Couriers(store, tmp_path, [slow, quick.pacs()], POLICY, clock)
        couriers.tick()
        assert stalled.wait(30)
        assert arrived.wait(30)
        couriers.tick()  # starts no second round beside the one that hangs
        release.set()
        couriers.close()
    assert silent.associations == 1
    assert states(store, "1.2.3") == ["sent"] * 4
    assert job_state(store, "1.2.3")[0] is State.DELIVERED


def test_a_round_that_a_crash_cut_short_is_closed_by_the_first_tick(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    finish_study(store, tmp_path, "1.2.3", "pacs")
    with storage_scp() as scp:
        outcomes = scp.pacs().send([write_object(tmp_path, SR, 1), write_object(tmp_path, SC, 2)])
        due = store.due_deliveries("pacs", clock())
        for delivery, outcome in zip(due, outcomes, strict=True):
            store.note_delivery(delivery.id, settle_outcome(delivery, outcome, POLICY, START), START)
        assert job_state(store, "1.2.3")[0] is State.DELIVERING
        couriers = Couriers(store, tmp_path, [scp.pacs()], POLICY, clock)
        couriers.tick()
        couriers.close()
    assert job_state(store, "1.2.3")[0] is State.DELIVERED
    assert len(scp.taken) == 2


def test_waits_double_up_to_the_longest() -> None:
    waits = [back_off(attempts, POLICY).total_seconds() for attempts in (1, 2, 3, 4, 5, 10_000)]
    assert waits == [10, 20, 40, 60, 60, 60]


@pytest.mark.parametrize(
    ("attempts", "last_status", "state"),
    [
        (2, 0xC000, DeliveryState.PENDING),
        (3, 0xC000, DeliveryState.FAILED),
        (9, 0xA700, DeliveryState.PENDING),  # it was full until now; this is its first doubt
        (3, None, DeliveryState.PENDING),
    ],
)
def test_doubt_is_final_only_when_it_comes_again(
    attempts: int, last_status: int | None, state: DeliveryState
) -> None:
    delivery = Delivery(
        id=1,
        destination="pacs",
        state=DeliveryState.PENDING,
        attempts=attempts,
        created_at=START,
        next_try_at=START,
        status=last_status,
        comment="",
        sent_sop_class_uid="",
        sent_sop_instance_uid="",
        sent_at=None,
        study_instance_uid="1.2.3",
        kind="sr",
        path="",
        digest="",
        sop_class_uid=SR,
        sop_instance_uid="2.25.1",
        series_instance_uid="2.25.9",
        current=True,
    )
    outcome = SendOutcome(Verdict.DOUBTFUL, 0xC000, "what is this", SR, "2.25.1")
    assert settle_outcome(delivery, outcome, POLICY, START).state is state


def test_what_waits_for_a_removed_destination_fails_and_says_so_until_it_is_back_or_let_go(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    finish_study(store, tmp_path, "1.2.3", "pacs", "old")
    with storage_scp() as scp:
        deliver_due(store, tmp_path, scp.pacs(), POLICY, clock)
        assert job_state(store, "1.2.3")[0] is State.DELIVERING
        assert store.endings.fail_unaddressed(["pacs"], clock()) == 2
        assert store.endings.fail_unaddressed(["pacs"], clock()) == 0
        finish(store, clock())
        state, reason = job_state(store, "1.2.3")
        assert state is State.FAILED
        assert "old is no longer a destination in config.yaml" in reason

        assert store.endings.let_go("1.2.3", ["pacs", "old"], clock()) == 0  # it is back: nothing to let go
        assert store.retry("1.2.3", clock())
        old = Pacs(scp.settings.model_copy(update={"name": "old"}), "DICOMNODE", 10.0)
        deliver_due(store, tmp_path, old, POLICY, clock)
    assert job_state(store, "1.2.3") == (State.DELIVERED, "4 of 4 delivered")


def test_what_was_let_go_does_not_keep_a_study_from_being_delivered(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    finish_study(store, tmp_path, "1.2.3", "pacs", "old")
    assert store.endings.let_go("1.2.3", ["pacs"], clock()) == 2
    with storage_scp() as scp:
        deliver_due(store, tmp_path, scp.pacs(), POLICY, clock)
    assert job_state(store, "1.2.3") == (State.DELIVERED, "2 of 2 delivered")
    assert sorted(states(store, "1.2.3")) == ["cancelled", "cancelled", "sent", "sent"]


def unproved_at_a_removed_destination(store: Store, folder: Path, clock: Clock) -> None:
    """`pacs` is to prove nothing, and `old`, which took everything and never proved it, is gone."""
    finish_study(store, folder, "1.2.3", "pacs", "old")
    with storage_scp() as scp:
        deliver_due(store, folder, scp.pacs(), POLICY, clock)
        old = scp.settings.model_copy(update={"name": "old", "proof": "query"})
        deliver_due(store, folder, Pacs(old, "DICOMNODE", 10.0), POLICY, clock)
    assert job_state(store, "1.2.3")[0] is State.DELIVERED
    assert store.endings.doubt_unaddressed(["pacs", "old"], clock()) == []
    [moved] = store.endings.doubt_unaddressed(["pacs"], clock())
    assert moved.state is State.UNCONFIRMED
    assert store.endings.doubt_unaddressed(["pacs"], clock()) == []


def test_what_a_removed_destination_never_proved_is_unconfirmed_until_it_is_let_go(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    unproved_at_a_removed_destination(store, tmp_path, clock)
    words = "2 of 4 not proved at old: old is no longer a destination in config.yaml; put it back, or `retry`"
    assert job_state(store, "1.2.3")[1].startswith(words)
    assert store.endings.let_go("1.2.3", ["pacs"], clock()) == 2
    assert job_state(store, "1.2.3") == (State.DELIVERED, "nobody is asked for proof any more")
    assert store.counts().unproven == 0
    assert states(store, "1.2.3") == ["sent"] * 4, "what it took, it took"


def test_a_destination_that_is_put_back_is_asked_again(store: Store, tmp_path: Path, clock: Clock) -> None:
    unproved_at_a_removed_destination(store, tmp_path, clock)
    assert [one.kind for one in store.proofs.due("old", clock())] == ["sr", "summary"]


@pytest.mark.parametrize("jump", [timedelta(days=-2), timedelta(days=5)])
def test_a_clock_that_is_set_neither_gives_a_delivery_up_nor_puts_it_off(
    store: Store, tmp_path: Path, clock: Clock, jump: timedelta
) -> None:
    finish_study(store, tmp_path, "1.2.3", "pacs")
    port = free_port()
    pacs = Pacs(Destination(name="pacs", host="127.0.0.1", port=port, ae_title="PACS"), "DICOMNODE", 5.0)
    deliver_due(store, tmp_path, pacs, POLICY, clock)
    clock.now += jump
    store.endings.clock_was_set(jump)
    clock.pass_by(10)
    assert deliver_due(store, tmp_path, pacs, POLICY, clock) == 2
    assert states(store, "1.2.3") == ["pending", "pending"]
    clock.pass_by(20)
    with storage_scp(port=port):
        assert deliver_due(store, tmp_path, pacs, POLICY, clock) == 2
    assert job_state(store, "1.2.3")[0] is State.DELIVERED
