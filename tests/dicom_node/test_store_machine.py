"""Whatever the order of images, ticks, runs, deliveries and crashes: one current report, an unbroken history."""

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dicom_node.errors import NotNow
from dicom_node.jobs import Job, State
from dicom_node.migrations import migrate
from dicom_node.routing import Routes
from dicom_node.store import Store
from dicom_node.store.endings import Ending
from dicom_node.store.records import ARRIVED, DeliveryOutcome, DeliveryState, ProofOutcome, ProofState
from dicom_node.store.run_records import NOBODY, NewRun
from tests.dicom_node.rows import MODEL, STUDY, after, image, made, noticed

ENDINGS = [State.FAILED, State.REJECTED, State.READY]
DELIVERY_STATES = {State.DELIVERING, State.DELIVERED, State.COMMITTED, State.UNCONFIRMED}
TRIES = [DeliveryState.SENT, DeliveryState.WARNING, DeliveryState.FAILED, DeliveryState.PENDING]


class StoreMachine(RuleBasedStateMachine):
    """One study in one store; a worker and a sender may hold things that others have overtaken."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.url = f"sqlite:///{self.folder / 'node.db'}"
        migrate(self.url)
        self.store = Store(self.url)
        self.images = self.runs = self.seconds = 0
        self.held: Job | None = None
        self.overtaken = False
        self.in_hand: list[int] = []

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    def tick(self) -> int:
        self.seconds += 1
        return self.seconds

    @rule()
    def an_image_arrives(self) -> None:
        self.images += 1
        assert self.store.add_instances([image(self.images)], after(self.tick())) == (STUDY,)
        assert [job.state for job in self.store.jobs()] == [State.RECEIVING]
        self.overtaken = True

    @precondition(lambda self: self.images)
    @rule()
    def the_same_image_arrives_again(self) -> None:
        before = self.store.jobs()
        assert self.store.add_instances([image(self.images)], after(self.tick())) == ()
        assert self.store.jobs() == before

    @precondition(lambda self: self.images)
    @rule()
    def what_is_complete_is_claimed(self) -> None:
        for job in self.store.open_jobs():
            assert self.store.settle(job, State.READY, after(self.tick()), "complete", "completion")
        job = self.store.claim(after(self.tick()))
        if job is not None:
            self.held, self.overtaken = job, False

    @precondition(lambda self: self.held)
    @rule()
    def the_worker_records(self) -> None:
        assert self.held is not None
        self.runs += 1
        results, key = made(str(self.runs)), f"key-{self.runs}"
        recorded = self.store.record_results(
            self.held, results, Routes.everything_to("a", "b"), NewRun(MODEL, key, after(self.tick()))
        )
        assert recorded is not self.overtaken
        assert not recorded or self.store.inputs_key(STUDY) == key
        self.held = None

    @precondition(lambda self: self.held)
    @rule(to=st.sampled_from([State.REJECTED, State.FAILED]))
    def the_worker_gives_notice(self, to: State) -> None:
        assert self.held is not None
        self.runs += 1
        ending = Ending(
            to, "no", NewRun({"weights_sha256": NOBODY}, f"notice-{self.runs}", after(self.tick()))
        )
        recorded = self.store.endings.record_notice(
            self.held, noticed(str(self.runs)), Routes.everything_to("a", "b"), ending
        )
        assert recorded is not self.overtaken
        self.held = None

    @precondition(lambda self: self.images)
    @rule()
    def a_result_is_found_to_be_another_patients(self) -> None:
        self.overtaken = self.overtaken or self.store.jobs()[0].state is State.RUNNING
        self.store.endings.raise_alarm(STUDY, "another patient", after(self.tick()))

    @precondition(lambda self: self.held)
    @rule(ending=st.sampled_from(ENDINGS))
    def the_worker_gives_up(self, ending: State) -> None:
        assert self.held is not None
        assert self.store.settle(self.held, ending, after(self.tick()), "no", "worker") is not self.overtaken
        self.held = None

    @precondition(lambda self: self.runs)
    @rule(destination=st.sampled_from("ab"))
    def a_sender_takes_what_is_due(self, destination: str) -> None:
        due = self.store.due_deliveries(destination, after(self.tick()))
        assert all(delivery.current for delivery in due)
        [job] = self.store.jobs()
        assert not due or not job.alarm, "what is withheld goes nowhere"
        if job.state is not State.DELIVERING:
            assert {one.kind for one in due} <= {"notice", "notice-page"}, "of an ended study only its notice"
        self.in_hand += [delivery.id for delivery in due]

    @precondition(lambda self: self.in_hand)
    @rule(state=st.sampled_from(TRIES), reached=st.booleans())
    def a_try_ends(self, state: DeliveryState, reached: bool) -> None:
        outcome = DeliveryOutcome(state, next_try_at=after(self.seconds), reached=reached, ask_proof=True)
        self.store.note_delivery(self.in_hand.pop(), outcome, after(self.tick()))
        for job in self.store.finish_deliveries(after(self.tick())):
            assert job.state in (State.DELIVERED, State.FAILED, State.COMMITTED, State.UNCONFIRMED)

    @precondition(lambda self: self.runs)
    @rule(
        destination=st.sampled_from("ab"),
        proof=st.sampled_from([None, ProofState.PROVED, ProofState.UNPROVEN, "missing"]),
    )
    def a_destination_is_asked(self, destination: str, proof: ProofState | str | None) -> None:
        due = self.store.proofs.due(destination, after(self.tick()))
        assert all(one.current and one.state in ARRIVED for one in due)
        outcomes = [
            ProofOutcome(
                one.id,
                None if proof in (None, "missing") else ProofState(proof),
                "query",
                again_at=after(self.seconds),
                resend=proof == "missing",
            )
            for one in due
        ]
        for job in self.store.proofs.note(outcomes, after(self.tick())):
            assert job.state in (State.COMMITTED, State.UNCONFIRMED, State.DELIVERING)

    @precondition(lambda self: self.runs)
    @rule()
    def the_time_for_proof_is_over(self) -> None:
        now = after(self.tick())
        self.store.proofs.expire(now, "late", now)
        open_still = [one for one in self.store.deliveries(STUDY) if one.proof is ProofState.WANTED]
        assert not [one for one in open_still if one.current]

    @precondition(lambda self: self.runs)
    @rule()
    def the_operator_sends_again(self) -> None:
        pairs = [(one.id, name) for one in self.store.current_results(STUDY) for name in "ab"]
        [before] = self.store.jobs()
        try:
            self.store.proofs.resend(STUDY, pairs, after(self.tick()), "again")
        except NotNow:
            assert before.alarm or before.state not in DELIVERY_STATES
            return
        [job] = self.store.jobs()
        assert job.state is State.DELIVERING or job.state is before.state

    @precondition(lambda self: self.images)
    @rule()
    def the_operator_tries_again(self) -> None:
        [before] = self.store.jobs()
        retried = self.store.retry(STUDY, after(self.tick()))
        assert retried or not (before.alarm or before.state is State.FAILED)
        assert not self.store.jobs()[0].alarm

    @precondition(lambda self: self.images)
    @rule()
    def the_node_crashes_and_starts_again(self) -> None:
        self.store.close()
        self.store = Store(self.url)
        running = self.store.jobs(State.RUNNING)
        assert self.store.reclaim(after(self.tick())) == len(running)
        self.overtaken = self.overtaken or bool(running)
        assert self.store.jobs(State.RUNNING) == []

    @invariant()
    def the_history_is_unbroken_and_ends_where_the_job_is(self) -> None:
        events = self.store.events(STUDY)
        assert all(one.to_state == two.from_state for one, two in pairwise(events))
        assert [job.state for job in self.store.jobs()] == [event.to_state for event in events[-1:]]

    @invariant()
    def a_committed_study_has_arrived_and_was_proved_everywhere(self) -> None:
        for job in self.store.jobs(State.COMMITTED):
            rows = [one for one in self.store.deliveries(job.study_instance_uid) if one.current]
            assert all(one.state in ARRIVED and one.proof is ProofState.PROVED for one in rows)

    @invariant()
    def there_is_one_current_report_at_most_and_no_other_is_sent(self) -> None:
        current = self.store.current_results(STUDY)
        assert [result.kind for result in current] in ([], ["sr", "attention"], ["notice", "notice-page"])
        waiting = {DeliveryState.PENDING, DeliveryState.FAILED}
        assert not [one for one in self.store.deliveries(STUDY) if not one.current and one.state in waiting]


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(
    max_examples=10, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
