"""The structured report's tree."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from reports import InputQuality, PriorReport, ReportContext, ReportError, ReportOptions, build_reports
from reports.context import stable_uid
from tests.reports.scans import model, one_multiframe, small_context
from tests.reports.tree import code, evidence, faults, items, named, referenced, texts, wrong_meanings


def report(folder: Path, **changes: object) -> Dataset:
    return build_reports(small_context(folder, **changes))[0].dataset  # type: ignore[arg-type]


def made(context: ReportContext, *kinds: str) -> list[Dataset]:
    return [report.dataset for report in build_reports(context) if report.kind in kinds]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return report(tmp_path_factory.mktemp("plain"))


def test_a_report_keeps_every_rule_of_ours(plain: Dataset) -> None:
    assert faults(plain) == []


def test_every_code_stands_in_ps3_16_with_its_meaning(plain: Dataset) -> None:
    assert wrong_meanings(plain) == []


def test_the_root_is_an_imaging_measurement_report(plain: Dataset) -> None:
    assert code(plain) == ("126000", "DCM")


def test_the_summary_is_the_first_text_of_the_content(plain: Dataset) -> None:
    first = next(item for item in items(plain) if item.RelationshipType == "CONTAINS" and "TextValue" in item)
    assert first.TextValue == (
        "RESEARCH USE ONLY. ST-RAN 1.0.0: probability of myocardial scar 87.3 %, "
        "above the operating threshold of 50.0 %."
    )


def test_the_input_is_described_in_words(plain: Dataset) -> None:
    comments = texts(named(plain, "C0034375")[0], "121106")
    assert comments[0] == "Input: 4 slices x 5 phases, complete"
    assert "Cropped to 128 mm about the heart." in comments


def test_probability_and_threshold_are_written_in_percent(plain: Dataset) -> None:
    values = [named(plain, name)[0].MeasuredValueSequence[0].NumericValue for name in ("SCAR-PROB", "122411")]
    assert values == [87.3, 50.0]


def test_the_point_is_the_peak_on_its_own_source_image(tmp_path: Path) -> None:
    context = small_context(tmp_path)
    point = named(build_reports(context)[0].dataset, "SCAR-PROB")[0].ContentSequence[0]
    source = point.ContentSequence[0].ReferencedSOPSequence[0]
    assert list(point.GraphicData) == [20.5, 30.5]  # column, row; pixel centres lie at .5
    assert source.ReferencedSOPInstanceUID == context.volume.sources[3][1].sop_instance_uid
    assert "ReferencedFrameNumber" not in source


def test_in_a_multi_frame_source_the_frame_is_named(tmp_path: Path) -> None:
    document = report(tmp_path, write=one_multiframe)
    point = named(document, "SCAR-PROB")[0].ContentSequence[0]
    assert point.ContentSequence[0].ReferencedSOPSequence[0].ReferencedFrameNumber == 1 + 1 * 5 + 3
    library = [item for item in items(named(document, "111028")[0]) if item.ValueType == "IMAGE"]
    assert [list(item.ReferencedSOPSequence[0].ReferencedFrameNumber) for item in library] == [
        list(range(1, 21))
    ]
    assert faults(document) == []


def test_the_overlay_of_the_peaks_slice_explains_the_finding(tmp_path: Path) -> None:
    document, *overlays = made(small_context(tmp_path), "sr", "attention")
    explaining = named(document, "130401")[0].ReferencedSOPSequence[0]
    assert explaining.ReferencedSOPInstanceUID == overlays[1].SOPInstanceUID


def test_the_report_names_its_page_for_viewers_without_sr(tmp_path: Path) -> None:
    document, page = made(small_context(tmp_path), "sr", "summary")
    reference = document.ReferencedInstanceSequence[0]
    assert reference.ReferencedSOPInstanceUID == page.SOPInstanceUID
    assert code(reference, "PurposeOfReferenceCodeSequence") == ("121333", "DCM")
    assert page.SOPInstanceUID in evidence(document)


def test_every_source_image_is_evidence_and_cited_once_in_the_library(tmp_path: Path) -> None:
    context = small_context(tmp_path)
    document = build_reports(context)[0].dataset
    sources = {plane.sop_instance_uid for row in context.volume.sources for plane in row}
    assert sources <= referenced(document)
    assert sources <= evidence(document)
    descriptors = [item for item in items(named(document, "111028")[0]) if item.ValueType == "NUM"]
    assert len(descriptors) == 2  # once for the group, not once for each image


def test_the_measurement_group_carries_no_free_comment(plain: Dataset) -> None:
    assert texts(named(plain, "125007")[0], "121106") == []


def test_without_a_map_the_point_is_said_to_be_no_finding(tmp_path: Path) -> None:
    document = report(tmp_path, answer={"attention": None, "attention_method": ""})
    assert faults(document) == []
    assert named(document, "130401") == []
    assert any("not a finding" in comment for comment in texts(document, "121106"))


def test_a_map_of_nothing_counts_as_no_map(tmp_path: Path) -> None:
    context = small_context(tmp_path)
    silent = 0 * context.prediction.attention  # type: ignore[operator]
    silence = build_reports(small_context(tmp_path / "silent", answer={"attention": silent}))
    assert [one.kind for one in silence] == ["sr", "text", "summary"]


@pytest.mark.parametrize(
    ("probability", "limited", "wanted", "expected"),
    [
        (0.873, False, True, ["52101004"] * 2),
        (0.873, True, True, ["52101004"] * 2),
        (0.2, False, True, ["272519000"] * 2),
        (0.2, True, True, ["373068000"] * 2),
        (0.873, False, False, []),
    ],
    ids=["present", "present in limited input", "absent", "limited input excludes nothing", "not wanted"],
)
def test_the_coded_finding_follows_the_threshold_and_the_input(
    tmp_path: Path, probability: float, limited: bool, wanted: bool, expected: list[str]
) -> None:
    document = report(
        tmp_path,
        answer={"probability": probability},
        quality=InputQuality("4 slices x 5 phases", ("Slice 2 is missing.",), limited),
        options=ReportOptions(finding_code=wanted),
    )
    found = [code(item, "ConceptCodeSequence")[0] for item in named(document, "122113")]
    assert found == expected
    quality = named(document, "130549")[0]
    assert code(quality, "ConceptCodeSequence")[0] == ("RID13" if limited else "RID12")


def test_a_probability_near_the_threshold_is_not_rounded_onto_it(tmp_path: Path) -> None:
    document = report(tmp_path, answer={"probability": 0.4998})
    assert "49.98 %, below the operating threshold of 50.00 %" in texts(document, "121111")[0]
    assert float(named(document, "SCAR-PROB")[0].MeasuredValueSequence[0].NumericValue) == 49.98


def test_a_superseding_report_names_its_predecessors(tmp_path: Path) -> None:
    prior = PriorReport("1.2.840.10008.5.1.4.1.1.88.34", stable_uid("old sr"), stable_uid("old series"))
    document = report(tmp_path, priors=(prior,))
    series = document.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID == prior.series_instance_uid
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == prior.sop_instance_uid


def tracked(document: Dataset) -> set[str]:
    return {str(item.UID) for item in named(document, "112040")}


def test_whatever_answers_again_tracks_the_same_findings(tmp_path: Path) -> None:
    one, other, late, newer = (
        report(tmp_path / "one", answer={"probability": 0.8}),
        report(tmp_path / "other", answer={"probability": 0.9}),
        report(tmp_path / "late", quality=InputQuality("4 slices x 5 phases, one came late")),
        report(tmp_path / "newer", answer={"model": model(weights="22" * 32)}),
    )
    assert len({document.SOPInstanceUID for document in (one, other, late, newer)}) == 4
    assert tracked(one) == tracked(other) == tracked(late) == tracked(newer)
    assert {text for item in (one, newer) for text in texts(item, "112039")} <= {
        "Myocardial scar",
        "Attention by AHA segment",
    }


def test_another_examination_of_the_patient_is_tracked_apart(tmp_path: Path) -> None:
    def again(image: Dataset) -> None:
        image.StudyInstanceUID = stable_uid("test", "second study")

    first, second = report(tmp_path / "first"), report(tmp_path / "second", change=again)
    assert first.StudyInstanceUID != second.StudyInstanceUID
    assert not tracked(first) & tracked(second)


def test_the_algorithm_is_equipment_whose_uid_follows_the_weights(tmp_path: Path) -> None:
    documents = [
        report(tmp_path / name, answer={"model": model(weights=weights)})
        for name, weights in (("one", "11" * 32), ("two", "22" * 32))
    ]
    processing = [document.ContributingEquipmentSequence[-1] for document in documents]
    assert [code(item, "PurposeOfReferenceCodeSequence")[0] for item in processing] == ["109102"] * 2
    assert processing[0].DeviceUID != processing[1].DeviceUID
    assert "11" * 32 in processing[0].ContributionDescription


def test_the_scanner_is_named_as_what_made_the_images(plain: Dataset) -> None:
    scanner = plain.ContributingEquipmentSequence[0]
    assert code(scanner, "PurposeOfReferenceCodeSequence")[0] == "109101"
    assert (scanner.Manufacturer, scanner.ManufacturerModelName) == ("Magnet Makers", "Tunnel 3T")


def test_a_model_of_another_label_gets_no_report_on_scar(tmp_path: Path) -> None:
    other = replace(model(), label="WMA")
    with pytest.raises(ReportError, match="WMA"):
        build_reports(small_context(tmp_path, answer={"model": other}))
