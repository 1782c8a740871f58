"""Attention by AHA segment: the values, and where a machine finds them in the report."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from pipeline import Study
from pipeline.aha import SEGMENT_NAMES
from pipeline.centre import Centre
from pipeline.phantom import Phantom
from reports import ReportContext, build_reports
from reports.segment_items import segment_code
from reports.segment_saliency import segment_saliency
from tests.peers import dciodvfy, dsrdump
from tests.pipeline.views import plane, tilted
from tests.reports.hearts import heart_context
from tests.reports.scans import small_context
from tests.reports.tree import code, faults, named, texts

# CID 3717 (PS3.16), in the order of the segments' numbers.
CODES = (
    *("264850008", "396482007", "396646008", "264846001", "396652009", "396654005"),
    *("264848000", "396647004", "396649001", "264847005", "396655006", "396656007"),
    *("264844003", "264845002", "264849008", "264853005"),
)


@pytest.fixture(scope="module")
def context(heart: Phantom, heart_study: Study) -> ReportContext:
    return heart_context(heart, heart_study)


@pytest.fixture(scope="module")
def document(context: ReportContext) -> Dataset:
    return build_reports(context)[0].dataset


def with_attention(context: ReportContext, attention: np.ndarray) -> ReportContext:
    return replace(context, prediction=replace(context.prediction, attention=attention.astype(np.float32)))


def test_the_scarred_segments_draw_the_most_attention_when_it_is_on_the_scar(
    heart: Phantom, context: ReportContext
) -> None:
    values = dict(segment_saliency(context).values)
    strongest = sorted(values, key=lambda segment: -values[segment])[: len(heart.truth.segments)]
    assert tuple(sorted(strongest)) == heart.truth.segments
    assert list(values) == list(range(1, 17))


def test_a_segments_value_is_the_mean_of_the_highest_attention_of_the_beat(context: ReportContext) -> None:
    phases, *grid = context.volume.voxels.shape
    attention = np.zeros((phases, *grid))
    attention[0], attention[1, :, :, ::2] = 0.2, 0.6
    values = dict(segment_saliency(with_attention(context, attention)).values)
    assert [values[segment] for segment in (1, 10)] == pytest.approx([0.4, 0.4], abs=0.02)


def test_slices_the_network_did_not_see_do_not_count(context: ReportContext) -> None:
    attention = np.full(context.volume.voxels.shape, 0.5)
    attention[:, :1] = 0.0
    assert dict(segment_saliency(with_attention(context, attention)).values)[1] == pytest.approx(0.5)
    attention[:, :3] = 0.0
    unseen = segment_saliency(with_attention(context, attention))
    assert unseen.missing == (1, 2, 3, 4, 5, 6, 17)
    assert {value for _, value in unseen.values} == {0.5}


def test_no_map_and_no_ventricle_are_said_in_words(context: ReportContext, tmp_path: Path) -> None:
    mapless = replace(context, prediction=replace(context.prediction, attention=None))
    assert segment_saliency(mapless).reason == "the model gave no attention map"
    lost = replace(context.prediction, centre=Centre(40.0, 36.0, "a guess", guessed=True))
    assert "where the left ventricle is" in segment_saliency(replace(context, prediction=lost)).reason
    assert "40 mm long" in segment_saliency(small_context(tmp_path)).reason


def measured(document: Dataset) -> dict[str, float]:
    """Saliency by the code of its Finding Site."""
    (container,) = named(document, "126011")
    return {
        code(named(number, "363698007")[0], "ConceptCodeSequence")[0]: float(
            number.MeasuredValueSequence[0].NumericValue
        )
        for number in named(container, "130404")
    }


def test_a_machine_finds_a_number_for_every_covered_segment(
    document: Dataset, context: ReportContext
) -> None:
    expected = {CODES[segment - 1]: value for segment, value in segment_saliency(context).values}
    assert measured(document) == pytest.approx(expected, abs=5e-5)
    number = named(document, "130404")[0]
    assert code(number.MeasuredValueSequence[0], "MeasurementUnitsCodeSequence") == ("1", "UCUM")
    assert code(named(number, "121401")[0], "ConceptCodeSequence") == ("373098007", "SCT")


@pytest.mark.parametrize("segment", range(1, 17))
def test_the_code_of_a_segment_means_what_the_segment_is_called(segment: int) -> None:
    coded = segment_code(segment)
    assert coded.value == CODES[segment - 1]
    assert coded.meaning == f"left ventricle {SEGMENT_NAMES[segment - 1]} segment"


def test_the_set_is_tracked_and_names_its_algorithm_and_its_convention(document: Dataset) -> None:
    (container,) = named(document, "126011")
    assert [item.UID for item in named(container, "112040")] != [
        item.UID for item in named(named(document, "125007")[0], "112040")
    ]
    assert texts(container, "111001") == ["ST-RAN"]
    assert texts(container, "111003") == ["1.0.0"]
    assert "not over segmented myocardium" in texts(container, "121106")[0]
    assert "RV insertions are not detected" in texts(container, "121106")[0]
    assert "basal anterolateral 0." in texts(container, "121111")[0]


def test_a_superseding_report_tracks_the_same_set(context: ReportContext, document: Dataset) -> None:
    less_sure = replace(context, prediction=replace(context.prediction, probability=0.1))
    again = build_reports(less_sure)[0].dataset
    uids = [named(named(one, "126011")[0], "112040")[0].UID for one in (document, again)]
    assert document.SOPInstanceUID != again.SOPInstanceUID
    assert uids[0] == uids[1]


def test_a_viewer_of_measurements_still_finds_one_group_and_all_our_rules_hold(document: Dataset) -> None:
    assert faults(document) == []
    (measurements,) = named(document, "126010")
    assert [code(item)[0] for item in measurements.ContentSequence] == ["125007"]
    assert named(measurements, "130404") == []


def test_without_segments_there_is_no_empty_container(tmp_path: Path) -> None:
    document = build_reports(small_context(tmp_path))[0].dataset
    assert named(document, "126011") == []


def test_long_axis_views_that_move_the_segments_make_another_result(context: ReportContext) -> None:
    volume, study = context.volume, context.study
    point = volume.geometry.position_mm(4, 45.0, 36.0)
    views = [plane(name, tilted(volume, turn), point, name) for name, turn in (("2CH", 0), ("4CH", 90))]
    ours = [replace(one, facts=replace(one.facts, study_instance_uid=study.uid)) for one in views]
    viewed = replace(context, study=Study(study.uid, (*ours, *study.instances)))
    assert viewed.fingerprint == context.fingerprint
    one, other = (build_reports(which)[0].dataset for which in (context, viewed))
    assert measured(one) != measured(other)
    assert one.SOPInstanceUID != other.SOPInstanceUID


@pytest.mark.peers("dciodvfy", "dsrdump")
def test_strangers_find_the_numbers_and_no_fault(document: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "sr.dcm"
    document.save_as(path, enforce_file_format=True)
    assert dciodvfy(path) == []
    printed = dsrdump(path)
    assert printed.count('(,,"Saliency")') == 16
    assert "left ventricle basal anteroseptal segment" in printed
