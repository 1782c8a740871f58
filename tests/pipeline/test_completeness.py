"""The grid of slices x phases decides; tags are weighed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import Completeness, InstanceFacts, find_stack, judge, read_facts
from pipeline.completeness import ranges
from tests.pipeline.scenes import cine, with_frames

Files = Callable[[str], list[Path]]


def verdict(instances: list[InstanceFacts]) -> Completeness:
    return judge(find_stack(instances))


def without(instances: list[InstanceFacts], slice_: int, phases: range) -> list[InstanceFacts]:
    """`slice_` counts from 1 at the base, `phases` from 1."""
    stack = find_stack(instances)
    gone = {stack.slices[slice_ - 1].planes[phase - 1] for phase in phases}
    uids = {plane.instance.sop_instance_uid for plane in gone if plane is not None}
    return [one for one in instances if one.sop_instance_uid not in uids]


@pytest.fixture(scope="module", params=["SC-HF-I-4", "SC-HF-I-1", "bivme"])
def real(request: pytest.FixtureRequest, sunnybrook: Files, bivme: list[Path]) -> list[InstanceFacts]:
    paths = bivme if request.param == "bivme" else sunnybrook(request.param)
    return [read_facts(path) for path in paths]


@pytest.mark.data
def test_a_real_study_is_complete_and_loses_what_is_taken(real: list[InstanceFacts]) -> None:
    stack = find_stack(real)
    slices, phases = len(stack.slices), stack.phases
    whole = judge(stack)
    assert whole.full
    assert whole.sentence == f"{slices} slices x {phases} phases, complete"

    one_slice_less = verdict(without(real, 4, range(1, phases + 1)))
    assert not one_slice_less.full
    assert one_slice_less.missing == ("slice 4 is missing",)
    assert one_slice_less.slices == slices - 1

    holes = verdict(without(real, 5, range(phases - 13, phases + 1)))
    assert not holes.full
    assert holes.missing == (f"slice 5, phases {phases - 13}-{phases}",)

    one_image_less = verdict(without(real, 2, range(3, 4)))
    assert one_image_less.missing == ("slice 2, phase 3",)
    assert one_image_less.sentence == f"{slices} slices x {phases} phases, missing: slice 2, phase 3"


@pytest.mark.data
def test_a_wrong_image_count_does_not_keep_a_full_study_waiting(sunnybrook: Files) -> None:
    found = verdict([read_facts(path) for path in sunnybrook("SC-HF-I-1")])
    assert found.full
    assert not found.declared
    assert "Images in Acquisition states 280, the grid has 240: not believed" in found.evidence
    agreeing = verdict([read_facts(path) for path in sunnybrook("SC-HF-I-4")])
    assert "Images in Acquisition states 200, the grid has 200" in agreeing.evidence
    assert found.confidence < agreeing.confidence < 1.0


def test_a_stated_slice_count_that_is_met_makes_a_study_ready_at_once() -> None:
    found = verdict(cine(8, 20, declared_slices=8))
    assert (found.full, found.declared, found.confidence) == (True, True, 1.0)


def test_a_slice_missing_at_the_end_is_known_by_the_stated_count() -> None:
    found = verdict(cine(11, 20, declared_slices=12))
    assert not found.full
    assert not found.declared
    assert found.missing == ("1 slice at an end of the stack: 12 are stated, 11 are known",)


def test_most_of_a_stack_still_on_its_way_is_not_full() -> None:
    assert not verdict(cine(4, 20, declared_slices=12)).full


def test_an_inner_gap_is_not_counted_twice_with_a_stated_count() -> None:
    found = verdict(without(cine(8, 20, declared_slices=8), 3, range(1, 21)))
    assert found.missing == ("slice 3 is missing",)


@pytest.mark.parametrize("stated", [1, 7, 200])
def test_a_stated_count_that_counts_something_else_is_only_evidence(stated: int) -> None:
    found = verdict(cine(8, 20, declared_slices=stated))
    assert found.full
    assert not found.declared
    assert found.confidence == 0.6
    assert any(line.endswith("the positions show 8") for line in found.evidence)


def test_nothing_stated_leaves_some_doubt() -> None:
    found = verdict(cine(8, 20, one_series=False))
    assert (found.full, found.declared, found.confidence) == (True, False, 0.9)


def test_phases_that_did_not_come_for_any_slice_are_known_by_the_stated_number() -> None:
    arriving = [
        one for one in cine(8, 25, declared_phases=25) if (one.instance_number or 0) % 25 in range(1, 16)
    ]
    found = verdict(arriving)
    assert found.phases == 25
    assert found.missing == tuple(f"slice {number}, phases 16-25" for number in range(1, 9))


def test_a_stated_phase_number_that_the_clock_contradicts_is_not_waited_for() -> None:
    found = verdict(cine(8, 20, declared_phases=30))
    assert found.full
    assert found.phases == 20


def test_a_stated_phase_number_that_counts_all_images_is_not_waited_for() -> None:
    unclocked = with_frames(cine(8, 20, declared_phases=160), rr_ms=None)
    assert verdict(unclocked).full


def test_a_slice_with_its_own_number_of_phases_has_no_holes() -> None:
    instances = [one for one in cine(8, 20) if not one.sop_instance_uid.startswith("1.2.3.4.1.3.")]
    other = cine(1, 25, series="2", start_mm=20.0, declared_phases=25)
    stack = find_stack(instances + other)
    assert judge(stack).full
    assert sorted(len(slice_.planes) for slice_ in stack.slices) == [20] * 7 + [25]


def test_a_slice_that_just_began_is_part_of_the_grid() -> None:
    found = verdict(without(cine(one_series=False), 2, range(2, 21)))
    assert found.missing == ("slice 2, phases 2-20",)


def test_holes_at_both_ends_and_in_the_middle_are_named() -> None:
    instances = cine(8, 20, declared_phases=20)
    for phases in (range(1, 3), range(9, 10), range(18, 21)):
        stack = find_stack(instances)
        gone = {
            plane.instance.sop_instance_uid
            for phase in phases
            if (plane := stack.slices[2].planes[phase - 1]) is not None
        }
        instances = [one for one in instances if one.sop_instance_uid not in gone]
    assert verdict(instances).missing == ("slice 3, phases 1-2, 9, 18-20",)


def test_two_slices_missing_in_a_row_are_both_named() -> None:
    instances = without(cine(8, 20), 3, range(1, 21))
    instances = without(instances, 3, range(1, 21))
    assert verdict(instances).missing == ("slice 3 is missing", "slice 4 is missing")


def test_a_multi_frame_object_states_its_own_size() -> None:
    frames = tuple(replace(one.frames[0], number=number) for number, one in enumerate(cine(), 1))
    enhanced = replace(cine()[0], sop_class_uid="1.2.840.10008.5.1.4.1.1.4.1", frames=frames)
    found = verdict([enhanced])
    assert (found.full, found.declared) == (True, True)
    assert "one multi-frame object holds the whole stack" in found.evidence


@pytest.mark.parametrize(
    ("phases", "words"),
    [([4], "phase 4"), ([2, 3], "phases 2-3"), ([1, 3, 4, 9], "phases 1, 3-4, 9"), ([9, 8], "phases 8-9")],
)
def test_phases_are_named_as_a_reader_writes_them(phases: list[int], words: str) -> None:
    assert ranges(phases) == words
