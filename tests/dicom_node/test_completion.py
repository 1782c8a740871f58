"""The rules of completeness, with times as plain numbers."""

from dataclasses import replace
from pathlib import Path

import pytest

from dicom_node.config_sections import CompleteSettings
from dicom_node.intake.completion import Decision, Rule, Verdict, decide, stack_key
from pipeline import Completeness, InstanceFacts, find_stack, judge, read_facts

SETTINGS = CompleteSettings(settle_s=3, quiet_s=60)
REJECTING = CompleteSettings(settle_s=3, quiet_s=60, incomplete="reject")
STATED = Completeness(
    True, True, 10, 20, (), ("a tag states 10 slices",), 1.0, "10 slices x 20 phases, complete"
)
UNSTATED = replace(STATED, declared=False, confidence=0.9)
HOLED = replace(
    UNSTATED,
    full=False,
    missing=("slice 7, phases 12-25",),
    sentence="10 slices x 20 phases, missing: slice 7",
)
NO_CINE = "no short-axis cine among 3 files"


def outcome(verdict: Verdict) -> tuple[Decision, Rule, float]:
    return verdict.decision, verdict.rule, verdict.wait_s


@pytest.mark.parametrize(
    ("judged", "sending", "since_s", "expected"),
    [
        (STATED, False, 0, (Decision.READY, Rule.STATED, 0)),
        (STATED, True, 0, (Decision.WAIT, Rule.SENDING, 60)),
        (STATED, True, 60, (Decision.READY, Rule.STATED, 0)),
        (UNSTATED, False, 1, (Decision.WAIT, Rule.SETTLING, 2)),
        (UNSTATED, False, 3, (Decision.READY, Rule.SETTLED, 0)),
        (UNSTATED, True, 3, (Decision.WAIT, Rule.SENDING, 57)),
        (UNSTATED, True, 61, (Decision.READY, Rule.SETTLED, 0)),
        (HOLED, False, 3, (Decision.WAIT, Rule.INCOMPLETE, 57)),
        (HOLED, False, 60, (Decision.READY, Rule.QUIET, 0)),
        (HOLED, True, 59, (Decision.WAIT, Rule.SENDING, 1)),
        (NO_CINE, False, 3, (Decision.WAIT, Rule.NO_CINE_YET, 57)),
        (NO_CINE, False, 60, (Decision.REJECT, Rule.NO_CINE, 0)),
    ],
)
def test_content_decides_and_time_is_the_fallback(
    judged: Completeness | str, sending: bool, since_s: float, expected: tuple[Decision, Rule, float]
) -> None:
    assert outcome(decide(judged, sending, since_s, SETTINGS)) == expected


def test_an_incomplete_grid_is_rejected_where_the_site_says_so() -> None:
    verdict = decide(HOLED, False, 60, REJECTING)
    assert (verdict.decision, verdict.sentence) == (Decision.REJECT, HOLED.sentence)


def test_a_settle_time_above_the_quiet_time_does_not_outlast_it() -> None:
    settings = CompleteSettings(settle_s=100, quiet_s=5)
    assert decide(UNSTATED, False, 5, settings).decision is Decision.READY


def test_a_verdict_keeps_evidence_and_confidence_but_no_countdown() -> None:
    assert decide(UNSTATED, False, 1, SETTINGS).as_json() == {
        "decision": "wait",
        "rule": "grid full, slice count not stated",
        "sentence": "10 slices x 20 phases, complete",
        "evidence": ["a tag states 10 slices"],
        "confidence": 0.9,
    }


@pytest.mark.data
def test_a_real_study_is_full_and_says_so(sunnybrook_facts: list[InstanceFacts]) -> None:
    judged = judge(find_stack(sunnybrook_facts))
    verdict = decide(judged, False, 3, SETTINGS)
    assert (verdict.rule, verdict.sentence) == (Rule.SETTLED, "10 slices x 20 phases, complete")
    stated = decide(replace(judged, declared=True), False, 0, SETTINGS)
    assert (stated.decision, stated.rule) == (Decision.READY, Rule.STATED)


@pytest.mark.data
def test_a_real_study_of_one_series_per_slice_has_to_settle(bivme: list[Path]) -> None:
    judged = judge(find_stack([read_facts(path) for path in bivme]))
    assert (judged.slices, judged.phases) == (6, 25)
    assert outcome(decide(judged, False, 0, SETTINGS)) == (Decision.WAIT, Rule.SETTLING, 3)
    assert decide(judged, False, 3, SETTINGS).decision is Decision.READY


@pytest.mark.data
def test_frames_that_did_not_come_are_named(sunnybrook_facts: list[InstanceFacts]) -> None:
    stack = find_stack(sunnybrook_facts)
    lost = {plane.instance.sop_instance_uid for plane in stack.slices[6].present[11:]}
    rest = [facts for facts in sunnybrook_facts if facts.sop_instance_uid not in lost]
    verdict = decide(judge(find_stack(rest)), False, 60, SETTINGS)
    assert verdict.rule is Rule.QUIET
    assert "slice 7, phases 12-20" in verdict.sentence


@pytest.mark.data
def test_the_key_depends_on_the_cine_alone_and_on_its_bytes(sunnybrook_facts: list[InstanceFacts]) -> None:
    digests = {facts.sop_instance_uid: f"digest of {facts.sop_instance_uid}" for facts in sunnybrook_facts}
    key = stack_key(find_stack(sunnybrook_facts), digests)
    report = InstanceFacts(
        "1", "1.1", "1.1.1", "1.2.840.10008.5.1.4.1.1.88.34", "1.2", unusable="not analysed"
    )
    beside = [*reversed(sunnybrook_facts), report]
    assert stack_key(find_stack(beside), digests | {"1.1.1": "x"}) == key
    assert stack_key(find_stack(sunnybrook_facts[:-20]), digests) != key
    changed = digests | {sunnybrook_facts[0].sop_instance_uid: "other bytes"}
    assert stack_key(find_stack(sunnybrook_facts), changed) != key
