"""Geometry finds the short-axis cine, whatever it comes with and in whatever order."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline import CineStack, ContradictoryStudy, NoCine, find_stack, judge, read_facts
from pipeline.planes import USUAL_AXIS
from tests.pipeline.scenes import NORMAL, cine, image, plane, renamed, with_frames

Files = Callable[[str], list[Path]]


def size(stack: CineStack) -> tuple[int, int]:
    return len(stack.slices), stack.phases


def uids(stack: CineStack) -> list[str]:
    return [plane.instance.sop_instance_uid for plane in stack.planes]


@pytest.fixture(scope="module")
def real(sunnybrook: Files, bivme: list[Path]) -> dict[str, CineStack]:
    files = {"bivme": bivme} | {name: sunnybrook(name) for name in ("SC-HF-I-4", "SC-HF-I-1")}
    return {name: find_stack([read_facts(path) for path in paths]) for name, paths in files.items()}


@pytest.mark.data
@pytest.mark.parametrize(
    ("patient", "expected", "step"),
    [("SC-HF-I-4", (10, 20), 8.0), ("SC-HF-I-1", (12, 20), 10.0), ("bivme", (6, 25), 17.7)],
)
def test_the_stack_of_a_real_study_is_found(
    real: dict[str, CineStack], patient: str, expected: tuple[int, int], step: float
) -> None:
    stack = real[patient]
    assert size(stack) == expected
    assert stack.step_mm == pytest.approx(step, abs=0.01)
    assert stack.missing == ()
    base, apex = stack.slices[0].present[0], stack.slices[-1].present[0]
    assert (apex.centre - base.centre) @ USUAL_AXIS > 60


@pytest.mark.data
def test_real_long_axis_views_are_no_slices_but_tell_the_axis(real: dict[str, CineStack]) -> None:
    stack = real["bivme"]
    assert {plane.instance.series_description for plane in stack.planes} == {"cine_trufi_retro"}
    assert "by the long axis from 4 long-axis views" in stack.evidence[0]


def test_the_order_of_arrival_changes_nothing() -> None:
    instances = cine() + cine(2, 20, series="9", start_mm=20.0) + cine(1, 20, series="8", start_mm=200.0)
    stack = find_stack(instances)
    for seed in range(5):
        shuffled = random.Random(seed).sample(instances, len(instances))
        assert uids(find_stack(shuffled)) == uids(stack)
        assert judge(find_stack(shuffled)) == judge(stack)


def test_slices_run_from_base_to_apex_however_they_were_numbered() -> None:
    upward, downward = cine(), cine(step_mm=-10.0, start_mm=70.0)
    for instances in (upward, downward):
        stack = find_stack(instances)
        assert stack.direction == pytest.approx(tuple(-NORMAL))
        depths = [float(slice_.present[0].centre @ NORMAL) for slice_ in stack.slices]
        assert depths == sorted(depths, reverse=True)


def test_long_axis_views_turn_the_axis_of_an_unusual_heart() -> None:
    views = [
        replace(
            image(f"lax{number}", replace(plane(0.0, time), orientation=orientation), f"lax{number}.{time}"),
            series_description=name,
        )
        for number, (name, orientation) in enumerate(
            [
                ("cine 2ch", (*NORMAL.tolist(), 0.7, 0.7, -0.1414)),
                ("cine 4ch", (*NORMAL.tolist(), *(-0.31, 0.121, -0.935))),
            ]
        )
        for time in np.arange(20) * 40.0
    ]
    stack = find_stack(cine() + views)
    assert "0° from the short axis by the long axis from 2 long-axis views" in stack.evidence[0]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("localizer", {"marks": ("ORIGINAL", "PRIMARY", "LOCALIZER")}),
        ("flow or phase image", {"marks": ("ORIGINAL", "PRIMARY", "P", "ND")}),
        ("flow or phase image", {"marks": ("ORIGINAL", "PRIMARY", "PHASE CONTRAST")}),
        ("flow or phase image", {"marks": ("ORIGINAL", "PRIMARY", "M_PCA", "M")}),
        ("reformatted or computed image", {"marks": ("DERIVED", "SECONDARY", "MPR")}),
        ("reformatted or computed image", {"marks": ("DERIVED", "SECONDARY", "MIP")}),
        ("derived image", {"marks": ("DERIVED", "SECONDARY", "OTHER")}),
        ("perfusion", {"marks": ("ORIGINAL", "PRIMARY", "PERFUSION")}),
        ("tagging", {"marks": ("ORIGINAL", "PRIMARY", "TAGGED")}),
    ],
)
def test_image_types_that_are_not_cine_are_named(kind: str, change: dict[str, object]) -> None:
    others = with_frames(cine(12, 25, series="2"), **change)
    with pytest.raises(NoCine, match=f"300 x {kind}"):
        find_stack(others)
    assert f"not cine: 300 x {kind}" in find_stack(cine() + others).evidence


@pytest.mark.parametrize(
    ("kind", "description"),
    [
        ("localizer", "AAHeart_Scout"),
        ("perfusion", "Perfusion_SAX_stress"),
        ("late enhancement", "LGE SAX PSIR"),
        ("tagging", "cine_SAX_tagged"),
        ("tagging", "CSPAMM grid"),
        ("flow or phase image", "cine_flow_aorta"),
        ("flow or phase image", "QFlow 150"),
        ("mapping", "T1 map MOLLI"),
        ("mapping", "TI scout SAX"),
    ],
)
def test_descriptions_of_other_techniques_are_no_cine(kind: str, description: str) -> None:
    with pytest.raises(NoCine, match=kind):
        find_stack(cine(series_description=description))


@pytest.mark.parametrize(
    "description", ["SA CINE delayed", "cine_tf2d18_retro_SAX", "sBTFE_BH SA", "FIESTA SAX", ""]
)
def test_descriptions_of_cines_do_not_mislead(description: str) -> None:
    assert size(find_stack(cine(series_description=description))) == (8, 20)


def test_magnitude_images_of_a_flow_series_are_no_cine() -> None:
    magnitude = cine(series="7")
    phase = with_frames(renamed(cine(1, 20, series="7"), "p"), marks=("ORIGINAL", "PRIMARY", "P"))
    with pytest.raises(NoCine, match="180 x flow or phase image"):
        find_stack(magnitude + phase)


def test_our_own_results_are_no_cine() -> None:
    with pytest.raises(NoCine, match="160 x result of this node"):
        find_stack(cine(model_name="dicom-node"))


def test_derived_images_of_the_examination_itself_serve_for_want_of_originals() -> None:
    derived = with_frames(cine(), marks=("DERIVED", "PRIMARY", "M"))
    stack = find_stack(derived)
    assert size(stack) == (8, 20)
    assert any("for want of an original" in line for line in stack.evidence)
    original = cine(series="5", start_mm=3.0)
    assert {plane.instance.series_instance_uid for plane in find_stack(derived + original).planes} == {
        "1.2.3.5"
    }


def test_a_lossy_copy_may_call_itself_derived() -> None:
    stack = find_stack(with_frames(cine(lossy=True), marks=("DERIVED", "SECONDARY", "M")))
    assert size(stack) == (8, 20)
    assert stack.lossy


def test_one_image_per_heartbeat_is_perfusion_not_cine() -> None:
    images = [
        image(
            "3", replace(plane(depth * 10.0, None, number=beat), acquired_s=100.0 + beat), f"{depth}.{beat}"
        )
        for depth in range(3)
        for beat in range(40)
    ]
    with pytest.raises(NoCine):
        find_stack(images)
    assert any("one image per heartbeat" in line for line in find_stack(cine() + images).evidence)


def test_a_clock_that_stands_still_is_no_beat() -> None:
    standing = with_frames(cine(series="3"), times=(("TriggerTime", 320.0), ("InstanceNumber", 3.0)))
    stack = find_stack(cine() + standing)
    assert {plane.instance.series_instance_uid for plane in stack.planes} == {"1.2.3.1"}
    assert any("images of one phase" in line for line in stack.evidence)


def test_mapping_sequences_vary_the_inversion_time_not_the_phase() -> None:
    images = [
        replace(instance, frames=(replace(instance.frames[0], inversion_ms=100.0 + index % 20 * 50),))
        for index, instance in enumerate(cine(series="4"))
    ]
    assert any("160 x mapping" in line for line in find_stack(cine() + images).evidence)


def test_single_images_in_the_planes_of_the_cine_leave_no_holes() -> None:
    late = [
        image(
            "6",
            replace(plane(depth * 5.0, 500.0), inversion_ms=300.0, marks=("ORIGINAL", "PRIMARY", "M", "IR")),
            f"{depth}",
        )
        for depth in range(16)
    ]
    stack = find_stack(cine() + late)
    assert size(stack) == (8, 20)
    assert judge(stack).full
    assert "not cine: 16 x images of another technique" in stack.evidence


def test_spacings_that_differ_by_their_last_digits_are_one_spacing() -> None:
    made = cine()
    stack = find_stack(with_frames(made[:80], spacing_mm=(1.4003, 1.3998)) + made[80:])
    assert size(stack) == (8, 20)


def test_repeated_images_are_dropped() -> None:
    stack = find_stack(cine() + renamed(cine(), "again"))
    assert size(stack) == (8, 20)
    assert len(stack.planes) == 160
    assert "160 repeated images dropped" in stack.evidence


def test_the_later_of_two_equal_acquisitions_of_a_slice_is_used() -> None:
    again = with_frames(cine(1, 20, series="2", start_mm=30.0), acquired_s=200.0)
    stack = find_stack(cine() + again)
    assert size(stack) == (8, 20)
    fifth_from_base = {plane.instance.series_instance_uid for plane in stack.slices[4].present}
    assert fifth_from_base == {"1.2.3.2"}
    assert any("1 slice taken again" in line for line in stack.evidence)


def test_a_broken_off_retake_does_not_replace_a_complete_slice() -> None:
    aborted = with_frames(cine(1, 20, series="2", start_mm=30.0)[:12], acquired_s=200.0)
    assert {plane.instance.series_instance_uid for plane in find_stack(cine() + aborted).planes} == {
        "1.2.3.1"
    }


def test_a_slice_taken_again_within_its_series_is_told_by_the_acquisition() -> None:
    again = with_frames(
        renamed(cine(1, 20, start_mm=30.0, rr_ms=900.0), "b"), acquisition_number=2, acquired_s=160.0
    )
    stack = find_stack(cine(declared_phases=20) + [replace(one, declared_phases=20) for one in again])
    assert [len(slice_.planes) for slice_ in stack.slices] == [20] * 8
    assert all(uid.endswith(".b") for uid in uids(stack)[80:100])


def test_acquisition_numbers_that_count_phases_do_not_split_a_slice() -> None:
    instances = [
        replace(one, frames=(replace(one.frames[0], acquisition_number=one.instance_number),))
        for one in cine(one_series=False)
    ]
    assert size(find_stack(instances)) == (8, 20)


def test_two_interleaved_plans_are_not_mixed() -> None:
    stack = find_stack(cine() + with_frames(cine(10, 20, series="2", start_mm=3.0), acquired_s=300.0))
    assert size(stack) == (10, 20)
    assert {plane.instance.series_instance_uid for plane in stack.planes} == {"1.2.3.2"}
    assert any(line.startswith("also seen: ") for line in stack.evidence)


def test_frames_of_reference_part_stacks_but_not_the_files_of_one() -> None:
    moved = [replace(one, frame_of_reference_uid="1.2.3.10") for one in cine(6, 20, series="2")]
    assert {plane.instance.series_instance_uid for plane in find_stack(cine() + moved).planes} == {"1.2.3.1"}
    scrambled = [replace(one, frame_of_reference_uid=f"1.{number}") for number, one in enumerate(cine())]
    assert size(find_stack(scrambled)) == (8, 20)


def test_short_axis_beats_an_axial_stack_of_more_slices() -> None:
    axial = with_frames(cine(20, 20, series="2"), orientation=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    axial = [
        replace(one, frames=(replace(one.frames[0], position_mm=(0.0, 0.0, 8.0 * (index // 20))),))
        for index, one in enumerate(axial)
    ]
    stack = find_stack(axial + cine())
    assert {plane.instance.series_instance_uid for plane in stack.planes} == {"1.2.3.1"}
    assert any("also seen: 20 x 20" in line for line in stack.evidence)
    with pytest.raises(NoCine, match="another view"):
        find_stack([replace(one, series_description="cine axial") for one in axial])


def test_reversed_axes_are_still_the_same_stack() -> None:
    instances = cine(one_series=False)
    row, down = instances[0].frames[0].orientation[:3], instances[0].frames[0].orientation[3:]
    height = np.array(down) / np.linalg.norm(down) * 1.4 * 191
    turned = [
        replace(
            one,
            frames=(
                replace(
                    one.frames[0],
                    orientation=(*row, *(-value for value in down)),
                    position_mm=tuple((np.array(one.frames[0].position_mm) + height).tolist()),
                ),
            ),
        )
        for one in instances[:20]
    ]
    assert size(find_stack(turned + instances[20:])) == (8, 20)


@pytest.mark.parametrize(
    "source", ["PhilipsPhaseNumber", "GEPhaseNumber", "TemporalPosition", "InstanceNumber"]
)
def test_phases_that_are_only_numbered_make_a_stack(source: str) -> None:
    instances = [
        replace(one, frames=(replace(one.frames[0], times=((source, float(index % 20 + 1)),)),))
        for index, one in enumerate(cine())
    ]
    stack = find_stack(instances)
    assert size(stack) == (8, 20)
    assert stack.slices[0].beat.grid_ms == pytest.approx([40.0 * phase for phase in range(20)])
    assert f"phases by {source}" in stack.evidence


def test_a_clock_that_was_never_set_gives_way_to_the_phase_number() -> None:
    instances = [
        replace(
            one,
            frames=(
                replace(
                    one.frames[0], times=(("TriggerTime", 0.0), ("PhilipsPhaseNumber", float(index % 20 + 1)))
                ),
            ),
        )
        for index, one in enumerate(cine())
    ]
    assert "phases by PhilipsPhaseNumber" in find_stack(instances).evidence


def test_instance_numbers_may_count_slices_first() -> None:
    instances = [
        replace(
            one,
            frames=(
                replace(one.frames[0], times=(("InstanceNumber", float(index % 20 * 8 + index // 20)),)),
            ),
        )
        for index, one in enumerate(cine())
    ]
    stack = find_stack(instances)
    assert judge(stack).full
    assert stack.slices[0].beat.grid_ms == pytest.approx([40.0 * phase for phase in range(20)])


def test_two_patients_in_one_stack_contradict_each_other() -> None:
    instances = cine()
    with pytest.raises(ContradictoryStudy, match="2 different patients"):
        find_stack([replace(instances[0], patient_id="P2"), *instances[1:]])
    assert size(find_stack([replace(instances[0], patient_id=""), *instances[1:]])) == (8, 20)


def test_seven_phases_are_no_cine() -> None:
    with pytest.raises(NoCine, match="8 slices x 7 phases, at least 8 phases are needed"):
        find_stack(cine(phases=7))


def test_one_slice_is_no_stack() -> None:
    with pytest.raises(NoCine, match="only 1 parallel slice with 20 phases, at least 3 slices are needed"):
        find_stack(cine(slices=1))


def test_a_stack_of_unreasonable_size_is_refused() -> None:
    with pytest.raises(NoCine, match="voxels"):
        find_stack(cine(20, 60, rows=4096, columns=4096))


def test_more_images_at_a_position_than_a_beat_can_have_are_refused() -> None:
    with pytest.raises(NoCine, match="501 images at one position"):
        find_stack(cine(3, 501))


def test_an_image_far_away_is_no_slice_with_thousands_missing_between() -> None:
    stack = find_stack(cine() + cine(1, 20, series="2", start_mm=50_000.0))
    assert stack.missing == ()


def test_a_flood_of_views_does_not_hide_the_short_axis() -> None:
    random_axes = np.linalg.qr(np.random.default_rng(3).normal(size=(1000, 3, 3)))[0]
    flood = [
        image(
            "9",
            replace(plane(0.0, 0.0), orientation=(*axes[:, 0].tolist(), *axes[:, 1].tolist())),
            f"f{index}",
        )
        for index, axes in enumerate(random_axes)
    ]
    assert size(find_stack(cine() + flood)) == (8, 20)


def test_a_study_without_images_says_so() -> None:
    with pytest.raises(NoCine, match="among 1 file: 1 x colour images are not analysed"):
        find_stack([replace(cine(1, 1)[0], frames=(), unusable="colour images are not analysed")])
    with pytest.raises(NoCine, match="no images"):
        find_stack([])
