"""Results supersede each other, deliveries outlive crashes, and nobody ever holds two current reports."""

import pytest
from sqlalchemy.exc import NoResultFound

from dicom_node.jobs import State
from dicom_node.routing import Routes
from dicom_node.store import Store
from dicom_node.store.records import DeliveryOutcome, DeliveryState
from dicom_node.store.run_records import NewRun, RunInput
from tests.dicom_node.rows import MODEL, START, STUDY, after, deliver, image, images, made, run, state

SENT = DeliveryOutcome(DeliveryState.SENT, status=0, sent_sop_class_uid="c", sent_sop_instance_uid="i")
REFUSED = DeliveryOutcome(DeliveryState.FAILED, status=0xA900, comment="class not accepted")


def unanswered(seconds: float) -> DeliveryOutcome:
    """Nobody was there; try again at that time."""
    return DeliveryOutcome(DeliveryState.PENDING, None, "nobody answers", after(seconds), reached=False)


@pytest.fixture
def filed(store: Store) -> Store:
    """A store with one study that is RECEIVING."""
    store.add_instances(images(3), START)
    return store


def send(store: Store, outcome: DeliveryOutcome, destination: str = "pacs", seconds: float = 1) -> int:
    """Try everything that is due, with one outcome; how many there were."""
    due = store.due_deliveries(destination, after(seconds))
    for delivery in due:
        store.note_delivery(delivery.id, outcome, after(seconds))
    return len(due)


def states(store: Store) -> list[str]:
    return [str(delivery.state) for delivery in store.deliveries(STUDY)]


def test_one_delivery_per_object_and_destination(filed: Store) -> None:
    deliver(filed, destinations=("pacs", "viewer"))
    found = [(delivery.destination, delivery.kind) for delivery in filed.deliveries(STUDY)]
    assert sorted(found) == [("pacs", "attention"), ("pacs", "sr"), ("viewer", "attention"), ("viewer", "sr")]
    assert filed.inputs_key(STUDY) == "key-a"
    assert [result.weights_sha256 for result in filed.current_results(STUDY)] == ["a" * 64] * 2


def test_without_a_destination_a_study_is_delivered_at_once(filed: Store) -> None:
    deliver(filed, destinations=())
    assert state(filed) is State.DELIVERED
    assert filed.events(STUDY)[-1].reason == "2 objects made, no destination is configured"


def test_a_run_overtaken_by_an_image_leaves_nothing(filed: Store) -> None:
    held = run(filed)
    filed.add_instances([image(9)], after(1))
    assert not filed.record_results(
        held, made(), Routes.everything_to("pacs"), NewRun(MODEL, "key", after(2))
    )
    assert (filed.results(STUDY), filed.deliveries(STUDY)) == ([], [])
    assert filed.lineage.models("") == {}
    with pytest.raises(NoResultFound):
        filed.lineage.run(1)


def test_a_run_is_remembered_with_the_verdict_and_the_files_of_its_moment(filed: Store) -> None:
    assert filed.note_verdict(filed.open_jobs()[0], {"rule": "grid full", "sentence": "then"})
    held = run(filed, at=after(1))
    inputs = tuple(RunInput(one.path, one.sop_instance_uid, one.digest, True) for one in filed.held(STUDY))
    record = NewRun(
        MODEL, "key", after(2), (START, START), 1.5, 900.0, inputs, {"now": "x"}, {"threshold": 0.4}
    )
    assert filed.record_results(held, made(), Routes(), record)
    filed.add_instances([image(1, content="sent again")], after(3))
    assert filed.note_verdict(filed.open_jobs()[0], {"rule": "grid full", "sentence": "later"})
    [first, second] = filed.results(STUDY)
    assert first.run_id == second.run_id is not None
    kept = filed.lineage.run(first.run_id)
    assert (kept.verdict["sentence"], kept.request, kept.config) == ("then", {"now": "x"}, {"threshold": 0.4})
    assert (kept.claimed_at, kept.recorded_at, kept.received_first_at) == (after(1), after(2), START)
    assert (kept.study_instance_uid, kept.attempt, kept.seconds) == (STUDY, 1, 1.5)
    assert filed.lineage.inputs(first.run_id) == sorted(inputs, key=lambda one: one.path)
    assert filed.digests(STUDY)[inputs[0].sop_instance_uid] != inputs[0].digest


def test_a_run_on_14000_images_is_recorded_whole(filed: Store) -> None:
    many = tuple(RunInput(f"{n:05}.dcm", f"{STUDY}.{n}", "d" * 64, n % 2 == 0) for n in range(14_000))
    assert filed.record_results(run(filed), made(), Routes(), NewRun(MODEL, "key", after(2), inputs=many))
    [found] = {own.result.run_id for own, _ in filed.lineage.objects_from_instance(f"{STUDY}.13999")}
    assert found is not None
    assert filed.lineage.inputs(found) == list(many)


def test_a_study_is_delivered_when_the_last_object_arrived(filed: Store) -> None:
    deliver(filed, destinations=("pacs", "viewer"))
    assert send(filed, SENT) == 2
    assert filed.finish_deliveries(after(2)) == []
    assert send(filed, SENT, "viewer") == 2
    assert [job.state for job in filed.finish_deliveries(after(3))] == [State.DELIVERED]
    assert filed.events(STUDY)[-1].reason == "4 of 4 delivered"
    first = filed.deliveries(STUDY)[0]
    assert (first.status, first.sent_at, first.sent_sop_class_uid) == (0, after(1), "c")


def test_a_warning_counts_as_arrived_and_is_kept(filed: Store) -> None:
    deliver(filed)
    send(filed, DeliveryOutcome(DeliveryState.WARNING, 0xB000, "coerced"))
    filed.finish_deliveries(after(2))
    assert state(filed) is State.DELIVERED
    assert filed.events(STUDY)[-1].reason == "2 of 2 delivered; 2 with a warning from pacs"
    assert {delivery.comment for delivery in filed.deliveries(STUDY)} == {"coerced"}


def test_a_refused_object_fails_the_study_with_its_reason(filed: Store) -> None:
    deliver(filed)
    send(filed, REFUSED)
    filed.finish_deliveries(after(2))
    assert state(filed) is State.FAILED
    assert filed.events(STUDY)[-1].reason == "2 of 2 not delivered to pacs: class not accepted"


def test_nothing_is_due_before_its_time_or_elsewhere(filed: Store) -> None:
    deliver(filed)
    assert filed.due_deliveries("viewer", after(1)) == []
    assert send(filed, unanswered(30)) == 2
    assert send(filed, SENT, seconds=29) == 0
    assert send(filed, SENT, seconds=30) == 2
    assert {delivery.attempts for delivery in filed.deliveries(STUDY)} == {2}


def test_a_crash_between_sending_and_noting_sends_again(filed: Store) -> None:
    deliver(filed)
    assert [delivery.attempts for delivery in filed.due_deliveries("pacs", after(1))] == [1, 1]
    assert [delivery.attempts for delivery in filed.due_deliveries("pacs", after(2))] == [2, 2]


def test_retry_sends_again_what_was_not_sent_without_running_again(filed: Store) -> None:
    deliver(filed)
    send(filed, REFUSED)
    filed.finish_deliveries(after(2))
    assert filed.retry(STUDY, after(3))
    assert state(filed) is State.DELIVERING
    assert {delivery.created_at for delivery in filed.deliveries(STUDY)} == {after(3)}
    assert send(filed, SENT, seconds=3) == 2
    assert [job.state for job in filed.finish_deliveries(after(4))] == [State.DELIVERED]


def test_retry_makes_waiting_deliveries_due_now(filed: Store) -> None:
    deliver(filed)
    send(filed, unanswered(900))
    assert filed.retry(STUDY, after(2))
    assert send(filed, SENT, seconds=2) == 2


def test_a_superseded_report_is_no_longer_sent(filed: Store) -> None:
    deliver(filed, "a")
    filed.add_instances([image(9)], after(1))
    assert filed.due_deliveries("pacs", after(2)) == [], "nothing is sent while the study is open again"
    deliver(filed, "b", at=after(3))
    assert states(filed) == ["cancelled", "cancelled", "pending", "pending"]
    assert [result.current for result in filed.results(STUDY)] == [False, False, True, True]
    assert {delivery.sop_instance_uid for delivery in filed.due_deliveries("pacs", after(4))} == {
        "2.25.b.0",
        "2.25.b.1",
    }


def test_an_object_that_arrived_after_all_is_remembered_so(filed: Store) -> None:
    deliver(filed, "a")
    in_hand = filed.due_deliveries("pacs", after(1))
    filed.add_instances([image(9)], after(1))
    deliver(filed, "b", at=after(3))
    filed.note_delivery(in_hand[0].id, SENT, after(4))
    filed.note_delivery(in_hand[1].id, unanswered(50), after(4))
    assert states(filed)[:2] == ["sent", "cancelled"]


def reported(store: Store) -> list[str]:
    return [prior.sop_instance_uid for prior in store.priors(STUDY)]


def test_only_reports_that_may_have_arrived_are_predecessors(filed: Store) -> None:
    deliver(filed, "a")
    assert reported(filed) == [], "nobody took it in hand"
    send(filed, unanswered(5))
    assert reported(filed) == [], "it surely reached nobody"
    filed.due_deliveries("pacs", after(5))
    assert reported(filed) == ["2.25.a.0"], "a crash now would hide whether it arrived"
    for delivery in filed.deliveries(STUDY):
        filed.note_delivery(delivery.id, SENT, after(6))
    filed.add_instances([image(9)], after(7))
    deliver(filed, "b", at=after(8))
    assert reported(filed) == ["2.25.a.0"]
    send(filed, SENT, seconds=9)
    assert reported(filed) == ["2.25.a.0", "2.25.b.0"], "one destination may hold either"


def test_an_image_beside_the_cine_leaves_the_report_standing(filed: Store) -> None:
    deliver(filed)
    send(filed, SENT)
    filed.finish_deliveries(after(2))
    filed.add_instances([image(9)], after(3))
    again = run(filed, at=after(4))
    assert filed.settle(again, State.DELIVERING, after(5), "the report stands", "worker")
    assert [job.state for job in filed.finish_deliveries(after(6))] == [State.DELIVERED]
    assert send(filed, SENT, seconds=7) == 0
    assert len(filed.current_results(STUDY)) == 2


def test_counts_tell_jobs_deliveries_and_images(filed: Store) -> None:
    deliver(filed)
    counts = filed.counts()
    assert (counts.jobs, counts.deliveries, counts.images) == ({"delivering": 1}, {"pending": 2}, 3)
