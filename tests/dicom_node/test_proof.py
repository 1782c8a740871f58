"""Success proves nothing: what destinations are asked afterwards, and what follows from their answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pydicom import dcmread

from dicom_node.commitment import Report
from dicom_node.config_sections import DeliverSettings, Destination
from dicom_node.conformance import COMMITMENT, STUDY_ROOT_FIND
from dicom_node.delivery import prover
from dicom_node.delivery.couriers import deliver_due
from dicom_node.delivery.destination import Pacs
from dicom_node.delivery.prover import Asking, expire, prove_due, take_report
from dicom_node.jobs import State
from dicom_node.store import Store
from dicom_node.store.records import ProofState
from tests.dicom_node.delivering import START, Clock, finish_study, job_state, states
from tests.dicom_node.proving_scp import Promises, proving_scp
from tests.dicom_node.receiving import Receiver, receiver
from tests.peers.orthanc import Orthanc

POLICY = DeliverSettings(first_retry_s=10, max_retry_s=60, give_up_after_h=1, prove_within_h=2)
STUDY = "1.2.3"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def short_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reports on the same association does so at once."""
    monkeypatch.setattr(prover, "LINGER_S", 0.5)


class Site:
    """A study on its way to one destination, and everything that is asked about it."""

    def __init__(self, store: Store, folder: Path, clock: Clock, pacs: Pacs) -> None:
        self.store, self.folder, self.clock, self.pacs = store, folder, clock, pacs
        self.expected: list[str] = []
        self.associations: Callable[[], int] = lambda: 0
        self.asking = Asking(store, folder, POLICY, clock, self.expected.append)

    def send(self) -> int:
        return deliver_due(self.store, self.folder, self.pacs, POLICY, self.clock)

    def prove(self) -> int:
        return prove_due(self.asking, self.pacs)

    @property
    def proofs(self) -> list[tuple[str, str]]:
        return [(one.proof.value, one.proof_method) for one in self.store.deliveries(STUDY)]

    @property
    def state(self) -> State:
        return job_state(self.store, STUDY)[0]


@contextmanager
def site(store: Store, folder: Path, clock: Clock, promises: Promises, **how: object) -> Iterator[Site]:
    """A study that is ready to leave for a PACS with these promises."""
    finish_study(store, folder, STUDY, "pacs")
    with proving_scp(promises, **{"proof": "commitment", **how}) as scp:  # type: ignore[arg-type]
        here = Site(store, folder, clock, scp.pacs())
        here.associations = lambda: scp.associations
        yield here


def test_a_study_is_committed_by_a_report_on_the_association_that_asked(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    promises = Promises()
    with site(store, tmp_path, clock, promises) as here:
        here.send()
        assert here.state is State.DELIVERED
        assert here.proofs == [("wanted", ""), ("wanted", "")]
        assert here.prove() == 2
        assert promises.answered.wait(30)
    assert promises.answers == [0x0000]
    [asked] = promises.asked
    named = [item.ReferencedSOPInstanceUID for item in asked.ReferencedSOPSequence]
    assert named == ["2.25.1", "2.25.2"]
    assert here.expected == [asked.TransactionUID]
    assert store.proofs.open_transactions() == []
    assert here.proofs == [("proved", "commitment")] * 2
    assert job_state(store, STUDY) == (State.COMMITTED, "2 of 2 proved: pacs by commitment")


def test_the_transaction_is_remembered_before_it_is_asked_for(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    known: list[bool] = []

    class Watching(Promises):
        def act(self, event: object) -> tuple[int, None]:
            answer = super().act(event)
            known.append(bool(store.proofs.asked_in(self.asked[-1].TransactionUID)))
            return answer

    with site(store, tmp_path, clock, Watching()) as here:
        here.send()
        here.prove()
    assert known == [True]


def test_an_object_that_was_dropped_after_success_is_sent_again_alone(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    promises = Promises(forgets=1)
    with site(store, tmp_path, clock, promises) as here:
        here.send()
        here.prove()
        assert states(store, STUDY) == ["pending", "sent"]
        assert job_state(store, STUDY) == (State.DELIVERING, "1 of 2 missing at pacs, sent again")
        assert here.send() == 0  # not before the pause is over
        clock.pass_by(10)
        assert here.send() == 1
        here.prove()
    assert here.state is State.COMMITTED
    assert [item.ReferencedSOPInstanceUID for item in promises.asked[1].ReferencedSOPSequence] == ["2.25.1"]


def test_a_destination_that_drops_everything_is_told_three_times_and_then_a_person_is(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    promises = Promises(forgets=1000)
    with site(store, tmp_path, clock, promises, proof="query") as here:
        for _ in range(6):
            here.send()
            here.prove()
            clock.pass_by(60)
    assert 1000 - promises.forgets == 2 * (1 + prover.MOST_RESENDS)
    assert here.proofs == [("unproven", "query")] * 2
    state, reason = job_state(store, STUDY)
    assert state is State.UNCONFIRMED
    assert reason == "2 of 2 not proved at pacs: pacs does not list this object; sent again 3 times"
    assert store.counts().unproven == 2


def test_who_never_reports_leaves_the_study_unconfirmed_until_a_late_report_comes(
    store: Store, tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    promises = Promises(reports=False)
    with site(store, tmp_path, clock, promises) as here:
        here.send()
        here.prove()
        clock.pass_by(59)
        assert here.prove() == 0  # asked already, and not yet for too long
        clock.pass_by(1)
        assert here.prove() == 2
        expire(store, POLICY, clock())
        assert here.state is State.DELIVERED
        clock.pass_by(2 * 3600)
        for _ in range(3):
            expire(store, POLICY, clock())
    assert job_state(store, STUDY) == (State.UNCONFIRMED, "2 of 2 not proved at pacs: no proof within 2 h")
    assert capsys.readouterr().out.count("unconfirmed") == 1
    late = promises.report_on(promises.asked[0])
    take_report(here.asking, Report.read(late))
    assert here.state is State.COMMITTED
    assert store.proofs.open_transactions() == [promises.asked[1].TransactionUID]


@pytest.mark.parametrize("jump", [timedelta(days=-2), timedelta(days=5)])
def test_a_clock_that_is_set_lets_no_outstanding_proof_expire_early_or_late(
    store: Store, tmp_path: Path, clock: Clock, jump: timedelta
) -> None:
    with site(store, tmp_path, clock, Promises(reports=False)) as here:
        here.send()
        here.prove()
        clock.pass_by(3600)
        clock.now += jump
        store.endings.clock_was_set(jump)
        expire(store, POLICY, clock())
        assert here.state is State.DELIVERED
        assert here.prove() == 2  # as long after the last question as before
        clock.pass_by(3599)
        expire(store, POLICY, clock())
        assert here.state is State.DELIVERED
        clock.pass_by(1)
        expire(store, POLICY, clock())
        assert here.state is State.UNCONFIRMED


@pytest.mark.parametrize("jump", [timedelta(days=-2), timedelta(days=5)])
def test_a_clock_that_is_set_does_not_put_off_asking_about_what_is_not_proved(
    store: Store, tmp_path: Path, clock: Clock, jump: timedelta
) -> None:
    with site(store, tmp_path, clock, Promises(reports=False)) as here:
        here.send()
        here.prove()
        clock.pass_by(2 * 3600)
        expire(store, POLICY, clock())
        assert here.prove() == 2
        clock.now += jump
        store.endings.clock_was_set(jump)
        clock.pass_by(59)
        assert here.prove() == 0
        clock.pass_by(1)
        assert here.prove() == 2


def test_a_report_on_a_transaction_that_nobody_opened_changes_nothing(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    with site(store, tmp_path, clock, Promises(reports=False)) as here:
        here.send()
        here.prove()
    before = store.deliveries(STUDY)
    take_report(here.asking, Report("2.25.666", ("2.25.1", "2.25.2"), {}))
    assert store.deliveries(STUDY) == before


def test_auto_takes_the_next_way_when_the_strongest_is_refused_twice_and_remembers_it(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    promises = Promises(status=0x0110)
    with site(store, tmp_path, clock, promises, proof="auto") as here:
        here.send()
        for expected in ("commitment", "commitment", "query"):
            here.prove()
            assert here.proofs == [("proved" if expected == "query" else "wanted", expected)] * 2
            clock.pass_by(60)
        held = store.proofs.method("pacs")
    assert held is not None
    assert (held.method, held.offered) == ("query", ("query",))
    assert len(promises.asked) == 2
    assert here.state is State.COMMITTED


def test_auto_gives_up_on_commitment_that_is_never_reported(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    promises = Promises(reports=False)
    with site(store, tmp_path, clock, promises, proof="auto") as here:
        here.send()
        for _ in range(4):
            here.prove()
            clock.pass_by(120)
    assert len(promises.asked) == prover.SILENT_TRANSACTIONS
    assert here.proofs == [("proved", "query")] * 2


def test_auto_leaves_a_destination_that_offers_nothing_in_peace_and_looks_again_the_next_day(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    with site(store, tmp_path, clock, Promises(), proof="auto", classes=("1.2.840.10008.1.1",)) as here:
        here.send()
        here.prove()
        assert here.proofs == [("", "none")] * 2
        assert here.state is State.DELIVERED
        chosen = []
        for hours in (23, 2):
            clock.pass_by(hours * 3600)
            before = here.associations()
            prover.choose(store, "pacs", here.pacs.proof, clock())
            chosen.append(here.associations() - before)
    assert chosen == [0, 1]


def test_what_was_found_out_counts_for_one_address(store: Store, tmp_path: Path, clock: Clock) -> None:
    finish_study(store, tmp_path, STUDY, "pacs")
    chosen = []
    for classes in ((STUDY_ROOT_FIND,), (COMMITMENT,)):
        with proving_scp(Promises(), proof="auto", classes=classes) as scp:
            chosen.append(prover.choose(store, "pacs", scp.pacs().proof, clock()).value)
    assert chosen == ["query", "commitment"]


def test_a_destination_that_is_down_is_asked_again_later(store: Store, tmp_path: Path, clock: Clock) -> None:
    with site(store, tmp_path, clock, Promises(), proof="query") as here:
        here.send()
    here.prove()
    assert here.proofs == [("wanted", "query")] * 2
    assert "nobody answers" in store.deliveries(STUDY)[0].proof_comment
    assert here.prove() == 0
    clock.pass_by(10)
    assert here.prove() == 2


def test_a_study_that_was_opened_again_is_not_asked_about(store: Store, tmp_path: Path, clock: Clock) -> None:
    with site(store, tmp_path, clock, Promises(forgets=2), proof="query") as here:
        here.send()
        store.endings.raise_alarm(STUDY, "something is wrong", clock())
        assert here.prove() == 0
    assert states(store, STUDY) == ["sent", "sent"]


def test_a_destination_that_is_to_prove_nothing_any_more_is_believed(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    with site(store, tmp_path, clock, Promises()) as here:
        here.send()
        changed = Destination.model_validate({**PLACE, "proof": "none"})
        here.pacs = Pacs(changed, "DICOMNODE", 5.0)
        assert here.prove() == 2
        assert here.prove() == 0
    assert (here.state, here.proofs) == (State.DELIVERED, [("", "none")] * 2)


PLACE = {"name": "pacs", "host": "127.0.0.1", "port": 1, "ae_title": "PACS"}


@contextmanager
def orthanc_site(
    store: Store, folder: Path, clock: Clock, proof: str, known: bool = True
) -> Iterator[tuple[Site, Orthanc, Receiver]]:
    """A study ready to leave for an Orthanc, which knows our receiver or does not."""
    finish_study(store, folder, STUDY, "pacs")
    with receiver(folder / "archive") as node:
        callers = {"DICOMNODE": node.port} if known else None
        with Orthanc(folder / "orthanc", callers=callers) as orthanc:
            place = {"host": "127.0.0.1", "port": orthanc.dicom_port, "ae_title": orthanc.ae_title}
            settings = Destination.model_validate({"name": "pacs", "proof": proof, **place})
            here = Site(store, folder, clock, Pacs(settings, "DICOMNODE", 20.0))
            here.asking = Asking(store, folder, POLICY, clock, node.process.expect)
            yield here, orthanc, node


@pytest.mark.peers("Orthanc")
def test_orthanc_commits_on_an_association_of_its_own(store: Store, tmp_path: Path, clock: Clock) -> None:
    with orthanc_site(store, tmp_path, clock, "auto") as (here, _, node):
        here.send()
        here.prove()
        take_report(here.asking, Report.from_event(node.event("reported", calling="ORTHANC")))
        assert job_state(store, STUDY) == (State.COMMITTED, "2 of 2 proved: pacs by commitment")


@pytest.mark.peers("Orthanc")
def test_an_object_that_orthanc_lost_is_sent_to_it_again(store: Store, tmp_path: Path, clock: Clock) -> None:
    with orthanc_site(store, tmp_path, clock, "commitment") as (here, orthanc, node):
        here.send()
        lost = next(one for one in orthanc.instances() if orthanc.dataset(one).Modality == "SR")
        orthanc.delete(f"/instances/{lost}")
        here.prove()
        take_report(here.asking, Report.from_event(node.event("reported")))
        assert states(store, STUDY) == ["pending", "sent"]
        assert "it does not hold this object (0112H)" in store.deliveries(STUDY)[0].comment
        clock.pass_by(10)
        here.send()
        here.prove()
        take_report(here.asking, Report.from_event(node.event("reported")))
        assert here.state is State.COMMITTED
        assert len(orthanc.instances()) == 2


@pytest.mark.peers("Orthanc")
def test_what_orthanc_gives_back_is_compared_element_by_element(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    with orthanc_site(store, tmp_path, clock, "retrieve") as (here, orthanc, _):
        here.send()
        lost = next(one for one in orthanc.instances() if orthanc.dataset(one).Modality == "SR")
        orthanc.delete(f"/instances/{lost}")
        here.prove()
        assert states(store, STUDY) == ["pending", "sent"]
        assert here.proofs[1] == ("proved", "retrieve")
        clock.pass_by(10)
        here.send()
        here.prove()
        assert here.state is State.COMMITTED


@pytest.mark.peers("Orthanc")
def test_another_object_that_orthanc_keeps_under_our_uid_is_noticed(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    with orthanc_site(store, tmp_path, clock, "retrieve") as (here, orthanc, _):
        older = dcmread(tmp_path / f"{STUDY}-2.dcm")
        older.SeriesDescription = "somebody else's"
        orthanc.post(older)
        here.send()
        assert states(store, STUDY) == ["sent", "sent"]
        here.prove()
    state, reason = job_state(store, STUDY)
    assert state is State.UNCONFIRMED
    assert reason == (
        "1 of 2 not proved at pacs: pacs holds another object under this UID; it differs in SeriesDescription"
    )
    assert here.proofs == [("proved", "retrieve"), ("unproven", "retrieve")]


@pytest.mark.peers("Orthanc")
def test_an_orthanc_that_does_not_know_us_says_what_to_do(store: Store, tmp_path: Path, clock: Clock) -> None:
    with orthanc_site(store, tmp_path, clock, "auto", known=False) as (here, _, _node):
        here.send()
        for _ in range(7):
            here.prove()
            clock.pass_by(60)
        assert {one.proof for one in store.deliveries(STUDY)} == {ProofState.WANTED}
        expire(store, POLICY, START + timedelta(hours=3))
    state, reason = job_state(store, STUDY)
    assert state is State.UNCONFIRMED
    assert "let it allow DICOMNODE to ask" in reason
