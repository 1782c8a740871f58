"""Open studies are closed by what real headers say, at times that are given, not waited for."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from dicom_node.config_sections import CompleteSettings
from dicom_node.config_values import NotAnalysed
from dicom_node.intake.closing import StudyCloser
from dicom_node.intake.postponed import Postponed
from dicom_node.jobs import State
from dicom_node.store import Store
from dicom_node.store.records import NewInstance
from pipeline import InstanceFacts, find_stack
from tests.dicom_node.rows import START, after, image, row_of

SETTINGS = CompleteSettings(settle_s=3, quiet_s=60)
NOTHING_POSTPONED = Postponed(0.0)
pytestmark = pytest.mark.data


def rows(facts: list[InstanceFacts], patient: str | None = None) -> list[NewInstance]:
    """Rows as the index would write them."""
    told = [one if patient is None else replace(one, patient_id=patient) for one in facts]
    return [row_of(one) for one in told]


@pytest.fixture
def study(sunnybrook_facts: list[InstanceFacts]) -> str:
    return sunnybrook_facts[0].study_instance_uid


@pytest.fixture
def seventh(sunnybrook_facts: list[InstanceFacts]) -> list[InstanceFacts]:
    """The images of one slice in the middle."""
    planes = find_stack(sunnybrook_facts).slices[6].present
    return [plane.instance for plane in planes]


@pytest.fixture
def closer(store: Store) -> StudyCloser:
    return StudyCloser(store, SETTINGS, START, NOTHING_POSTPONED)


def tick(closer: StudyCloser, seconds: float, *sending: str) -> list[tuple[State, str]]:
    return [(job.state, job.reason) for job in closer.close_studies(after(seconds), seconds, sending)]


def test_a_full_study_is_ready_once_it_has_settled(
    store: Store, closer: StudyCloser, sunnybrook_facts: list[InstanceFacts], study: str
) -> None:
    store.add_instances(rows(sunnybrook_facts), START)
    assert tick(closer, 1) == []
    assert store.verdict(study)["rule"] == "grid full, slice count not stated"
    assert tick(closer, 3) == [
        (State.READY, "grid full, no other slice came: 10 slices x 20 phases, complete")
    ]
    verdict = store.verdict(study)
    assert (verdict["decision"], verdict["confidence"], len(verdict["inputs_key"])) == ("ready", 0.9, 64)
    assert "slices 8.0 mm apart" in " ".join(verdict["evidence"])
    assert store.events(study)[-1].actor == "completion"


def noticing(store: Store, choice: NotAnalysed) -> StudyCloser:
    """A closer that rejects what is incomplete, at a site that wants notices so."""
    settings = SETTINGS.model_copy(update={"incomplete": "reject"})
    return StudyCloser(store, settings, START, NOTHING_POSTPONED, choice)


@pytest.mark.parametrize(
    ("choice", "to"), [("never", State.REJECTED), ("cine", State.READY), ("always", State.READY)]
)
def test_an_incomplete_cine_that_gets_a_notice_is_rejected_by_its_run(
    store: Store,
    sunnybrook_facts: list[InstanceFacts],
    seventh: list[InstanceFacts],
    study: str,
    choice: NotAnalysed,
    to: State,
) -> None:
    store.add_instances(rows([one for one in sunnybrook_facts if one not in seventh]), START)
    [(state, reason)] = tick(noticing(store, choice), 60)
    assert state is to
    assert "slice 7 is missing" in reason
    assert store.verdict(study)["cine"] is True


def test_two_patients_in_one_cine_are_a_cine_none_is_not(
    store: Store, sunnybrook_facts: list[InstanceFacts], seventh: list[InstanceFacts], study: str
) -> None:
    closer = noticing(store, "cine")
    store.add_instances(rows(sunnybrook_facts[:1]), START)
    assert [state for state, _ in tick(closer, 60)] == [State.REJECTED]
    assert store.verdict(study)["cine"] is False
    strangers = [one for one in sunnybrook_facts[1:] if one not in seventh]
    store.add_instances([*rows(strangers), *rows(seventh, "SOMEONE-ELSE")], START)
    assert [state for state, _ in tick(closer, 60)] == [State.READY]
    assert store.verdict(study)["cine"] is True


def test_while_the_sender_sends_nothing_is_closed_unless_it_hangs(
    store: Store, closer: StudyCloser, sunnybrook_facts: list[InstanceFacts], study: str
) -> None:
    store.add_instances(rows(sunnybrook_facts), START)
    assert tick(closer, 30, study) == []
    assert store.verdict(study)["rule"] == "the sender's association is still open"
    assert [state for state, _ in tick(closer, 60, study)] == [State.READY]


def test_a_missing_slice_is_waited_for_and_named(
    store: Store, closer: StudyCloser, sunnybrook_facts: list[InstanceFacts], seventh: list[InstanceFacts]
) -> None:
    store.add_instances(rows([one for one in sunnybrook_facts if one not in seventh]), START)
    assert tick(closer, 59) == []
    [(state, reason)] = tick(closer, 60)
    assert state is State.READY
    assert reason.startswith("grid incomplete, quiet time over: ")
    assert "slice 7 is missing" in reason


def test_a_site_may_have_incomplete_studies_rejected(
    store: Store, sunnybrook_facts: list[InstanceFacts], seventh: list[InstanceFacts]
) -> None:
    strict = noticing(store, "never")
    store.add_instances(rows([one for one in sunnybrook_facts if one not in seventh]), START)
    [(state, reason)] = tick(strict, 60)
    assert state is State.REJECTED
    assert "slice 7 is missing" in reason


def test_the_missing_slice_completes_the_study_without_the_quiet_time(
    store: Store,
    closer: StudyCloser,
    sunnybrook_facts: list[InstanceFacts],
    seventh: list[InstanceFacts],
    study: str,
) -> None:
    store.add_instances(rows([one for one in sunnybrook_facts if one not in seventh]), START)
    assert tick(closer, 10) == []
    without = store.verdict(study)["inputs_key"]
    store.add_instances(rows(seventh), after(11))
    assert tick(closer, 12) == []
    assert [state for state, _ in tick(closer, 14)] == [State.READY]
    assert store.verdict(study)["inputs_key"] != without


def test_a_study_without_a_cine_is_rejected_in_a_sentence(store: Store, closer: StudyCloser) -> None:
    broken = NewInstance("x.dcm", "", START, study_instance_uid="1.2", unusable="the file is cut off")
    store.add_instances([image(study="1.2"), broken], START)
    assert tick(closer, 59) == []
    [(state, reason)] = tick(closer, 60)
    assert state is State.REJECTED
    assert reason.lower().startswith("no short-axis cine among 1 file")
    assert reason.endswith("; unreadable: the file is cut off")


def test_two_patients_in_one_cine_are_rejected(
    store: Store, closer: StudyCloser, sunnybrook_facts: list[InstanceFacts], seventh: list[InstanceFacts]
) -> None:
    others = [one for one in sunnybrook_facts if one not in seventh]
    store.add_instances([*rows(others), *rows(seventh, patient="SOMEONE-ELSE")], START)
    [(state, reason)] = tick(closer, 60)
    assert state is State.REJECTED
    assert "name 2 different patients" in reason


def test_one_study_that_cannot_be_judged_does_not_hold_up_the_others(
    store: Store, closer: StudyCloser, sunnybrook_facts: list[InstanceFacts]
) -> None:
    damaged = replace(image(study="1.9"), facts={"frames": [], "written_by": "another version"})
    store.add_instances([damaged], START)
    store.add_instances(rows(sunnybrook_facts), after(1))
    with capture_logs() as lines:
        closed = tick(closer, 61)
    assert [state for state, _ in closed] == [State.REJECTED, State.READY]
    assert closed[0][1] == "the study's headers could not be understood (TypeError)"
    assert ("study-not-judged", "1.9") in [(line["event"], line["study"]) for line in lines]


def test_the_time_the_node_was_down_is_not_quiet_time(
    store: Store, sunnybrook_facts: list[InstanceFacts], seventh: list[InstanceFacts]
) -> None:
    store.add_instances(rows([one for one in sunnybrook_facts if one not in seventh]), START)
    restarted = StudyCloser(store, SETTINGS, after(3600), NOTHING_POSTPONED)
    assert tick(restarted, 3601) == []
    assert [state for state, _ in tick(restarted, 3660)] == [State.READY]


def test_a_clock_set_back_makes_nothing_ready_early_or_fail(
    store: Store, closer: StudyCloser, sunnybrook_facts: list[InstanceFacts]
) -> None:
    store.add_instances(rows(sunnybrook_facts), after(600))
    assert tick(closer, 10) == []
    assert [state for state, _ in tick(closer, 603)] == [State.READY]


@pytest.mark.parametrize("jump_s", [-7200.0, 7200.0])
def test_a_clock_that_is_set_while_a_study_waits_closes_it_neither_early_nor_late(
    store: Store,
    closer: StudyCloser,
    sunnybrook_facts: list[InstanceFacts],
    seventh: list[InstanceFacts],
    jump_s: float,
) -> None:
    store.add_instances(rows([one for one in sunnybrook_facts if one not in seventh]), START)
    assert closer.close_studies(after(1), 1.0, ()) == []
    assert closer.close_studies(after(jump_s + 59), 59.0, ()) == []
    assert [job.state for job in closer.close_studies(after(jump_s + 60), 60.0, ())] == [State.READY]


def test_a_late_image_beside_the_cine_keeps_the_key(
    store: Store, closer: StudyCloser, sunnybrook_facts: list[InstanceFacts], study: str
) -> None:
    store.add_instances(rows(sunnybrook_facts), START)
    tick(closer, 3)
    key = store.verdict(study)["inputs_key"]
    beside = replace(sunnybrook_facts[0], sop_instance_uid="9.9", series_instance_uid="9", frames=())
    store.add_instances(rows([beside]), after(10))
    assert [state for state, _ in tick(closer, 13)] == [State.READY]
    assert store.verdict(study)["inputs_key"] == key


def test_a_study_of_which_images_were_refused_is_waited_for_until_they_come(
    store: Store, sunnybrook_facts: list[InstanceFacts], study: str
) -> None:
    postponed = Postponed(wait_s=3600)
    closer = StudyCloser(store, SETTINGS, START, postponed)
    store.add_instances(rows(sunnybrook_facts[:5]), START)
    postponed.refused(study, "1.1", 10.0)
    postponed.refused(study, "1.2", 20.0)
    assert tick(closer, 500) == []
    postponed.came(study, "1.1")
    assert tick(closer, 3000) == []
    postponed.came(study, "1.2")
    assert tick(closer, 3001) == []
    assert [state for state, _ in tick(closer, 3060)] == [State.REJECTED]


def test_awaited_images_that_have_no_row_yet_keep_their_study_open(
    store: Store, sunnybrook_facts: list[InstanceFacts], study: str
) -> None:
    postponed = Postponed(wait_s=3600)
    closer = StudyCloser(store, SETTINGS, START, postponed)
    store.add_instances(rows(sunnybrook_facts[:-1]), START)
    postponed.refused(study, "1.1", 10.0)
    assert tick(closer, 500) == []
    postponed.came(study, "1.1")
    assert tick(closer, 500.5, study) == []
    store.add_instances(rows(sunnybrook_facts[-1:]), after(501))
    assert [state for state, _ in tick(closer, 504)] == [State.READY]


def test_a_study_of_which_images_were_refused_is_given_up_on_in_the_end(
    store: Store, sunnybrook_facts: list[InstanceFacts], study: str
) -> None:
    postponed = Postponed(wait_s=3600)
    closer = StudyCloser(store, SETTINGS, START, postponed)
    store.add_instances(rows(sunnybrook_facts[:5]), START)
    postponed.refused(study, "1.1", 10.0)
    postponed.refused(study, "1.1", 400.0)
    assert tick(closer, 4000) == []
    assert tick(closer, 4001) == []
    assert [state for state, _ in tick(closer, 4060)] == [State.REJECTED]


def test_what_was_refused_of_one_study_keeps_no_other_waiting(
    store: Store, sunnybrook_facts: list[InstanceFacts]
) -> None:
    postponed = Postponed(wait_s=3600)
    closer = StudyCloser(store, SETTINGS, START, postponed)
    store.add_instances(rows(sunnybrook_facts), START)
    postponed.refused("1.2.3", "1.1", 1.0)
    assert [state for state, _ in tick(closer, 3)] == [State.READY]
