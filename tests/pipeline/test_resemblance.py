"""Where a result is expected although there is no stack, and where nobody would think of one."""

from pathlib import Path

import pytest

from pipeline import InstanceFacts, NoCine, find_stack, read_facts, resembles_cine
from tests.pipeline.scenes import cine


def no_stack(images: list[InstanceFacts]) -> list[InstanceFacts]:
    """The images, of which nothing can be stacked."""
    with pytest.raises(NoCine):
        find_stack(images)
    return images


def test_one_slice_that_beats_and_lies_like_a_short_axis_is_the_beginning_of_one() -> None:
    assert resembles_cine(no_stack(cine(slices=1, phases=20)))


def test_by_its_name_a_short_axis_needs_only_a_second_image_of_one_place() -> None:
    few = no_stack(cine(slices=8, phases=2, series_description="cine SAX"))
    assert resembles_cine(few)
    assert not resembles_cine(no_stack(cine(slices=8, phases=2)))
    assert not resembles_cine(no_stack(cine(slices=8, phases=1, series_description="cine SAX")))


@pytest.mark.parametrize("description", ["cine 4CH", "perfusion stress", "t1 map molli", "localizer"])
def test_another_view_or_technique_in_the_same_place_is_none(description: str) -> None:
    assert not resembles_cine(cine(slices=1, phases=20, series_description=description))


@pytest.mark.data
def test_a_real_study_without_its_short_axis_is_none_but_one_slice_of_it_is(bivme: list[Path]) -> None:
    facts = [read_facts(path) for path in bivme]
    stack = find_stack(facts)
    chosen = {plane.instance.series_instance_uid for plane in stack.planes}
    assert not resembles_cine(no_stack([one for one in facts if one.series_instance_uid not in chosen]))
    assert resembles_cine(no_stack([plane.instance for plane in stack.slices[2].present]))
