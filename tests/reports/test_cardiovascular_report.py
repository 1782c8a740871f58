"""The report in the form of TID 3900: its mandatory rows, and nothing that was not measured."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from reports import InputQuality, ReportContext, ReportOptions, as_sr_class
from reports.sr_class import SR_CLASSES
from tests.peers import dciodvfy
from tests.reports.extras import asking_for, of_kind, saved
from tests.reports.scans import model, small_context
from tests.reports.tree import code, evidence, items, named, referenced, texts, wrong_meanings

WANTED = asking_for("cardiovascular_report")


def report_of(context: ReportContext) -> Dataset:
    (document,) = of_kind(context, "cardiovascular")
    return document


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ReportContext:
    return small_context(tmp_path_factory.mktemp("cardio"), options=WANTED)


@pytest.fixture(scope="module")
def document(context: ReportContext) -> Dataset:
    return report_of(context)


def top(document: Dataset) -> list[tuple[str, str, str]]:
    """Relationship, value type and concept of the root's own items."""
    return [(item.RelationshipType, item.ValueType, code(item)[0]) for item in document.ContentSequence]


def test_the_root_has_its_mandatory_rows_and_then_what_is_read(document: Dataset) -> None:
    assert code(document) == ("122600", "DCM")
    assert document.ContentTemplateSequence[0].TemplateIdentifier == "3900"
    rows = top(document)
    assert ("HAS CONCEPT MOD", "CODE", "121049") in rows  # row 3: language, TID 1204
    assert ("HAS OBS CONTEXT", "CODE", "121005") in rows  # row 4: observer, TID 1001
    assert ("HAS OBS CONTEXT", "UIDREF", "121012") in rows
    assert ("HAS CONCEPT MOD", "CODE", "121058") in rows  # row 2: procedure reported
    assert [row for row in rows if row[0] == "CONTAINS"] == [
        ("CONTAINS", "CONTAINER", "55111-9"),
        ("CONTAINS", "CONTAINER", "59776-5"),
        ("CONTAINS", "CONTAINER", "19005-8"),
    ]


def test_the_procedure_is_described_and_what_was_not_measured_is_said(document: Dataset) -> None:
    described = texts(named(document, "55111-9")[0], "121065")
    assert described[0] == "Cardiac cine MR, short axis: 4 slices x 5 phases, complete"
    assert "Not measured" in described[1]
    assert "ventricular volumes" in described[1]
    assert "wall motion" in described[1]


def test_nothing_is_measured_but_the_probability_and_its_threshold(document: Dataset) -> None:
    numbers = {
        code(item)[0]: item.MeasuredValueSequence[0] for item in items(document) if item.ValueType == "NUM"
    }
    assert {name: float(value.NumericValue) for name, value in numbers.items()} == {
        "SCAR-PROB": 87.3,
        "122411": 50.0,
    }
    assert {code(value, "MeasurementUnitsCodeSequence") for value in numbers.values()} == {("%", "UCUM")}


def test_no_ventricular_vascular_or_perfusion_analysis_is_claimed(document: Dataset) -> None:
    assert named(document, "111004") == []  # Analysis Performed, mandatory in TID 3902, 3920, 3925 and 3926


def test_the_impression_is_the_sentence_of_the_report_itself(
    context: ReportContext, document: Dataset
) -> None:
    (report,) = of_kind(context, "sr")
    impressions = named(document, "19005-8")[0]
    assert texts(impressions, "121073") == texts(report, "121111")[:1]
    assert "RESEARCH USE ONLY" in texts(impressions, "121106")[0]


def test_the_model_is_named_with_its_weights(document: Dataset) -> None:
    findings = named(document, "59776-5")[0]
    assert texts(findings, "111001") == ["ST-RAN"]
    assert f"weights sha256={model().weights_sha256}" in texts(findings, "111002")


def test_the_finding_goes_with_the_overlays_of_the_slices_with_most_attention(
    context: ReportContext, document: Dataset
) -> None:
    overlays = of_kind(context, "attention")
    explaining = [
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in named(document, "130401")
    ]
    assert explaining == [overlays[slice_].SOPInstanceUID for slice_ in (1, 0, 2)]


def test_it_is_complete_preliminary_and_unverified_and_separates_its_items(document: Dataset) -> None:
    flags = document.CompletionFlag, document.PreliminaryFlag, document.VerificationFlag
    assert flags == ("COMPLETE", "PRELIMINARY", "UNVERIFIED")
    containers = [document, *(item for item in items(document) if item.ValueType == "CONTAINER")]
    assert {item.ContinuityOfContent for item in containers} == {"SEPARATE"}


def test_every_code_stands_in_ps3_16_and_every_citation_in_the_evidence(document: Dataset) -> None:
    assert wrong_meanings(document) == []
    assert referenced(document) <= evidence(document)


@pytest.mark.parametrize(
    ("probability", "limited", "coded", "expected"),
    [
        (0.873, False, True, ["52101004"]),
        (0.2, False, True, ["272519000"]),
        (0.2, True, True, ["373068000"]),
        (0.2, True, False, []),
    ],
    ids=["present", "absent", "limited input excludes nothing", "not wanted"],
)
def test_the_finding_is_that_of_the_report_itself(
    tmp_path: Path, probability: float, limited: bool, coded: bool, expected: list[str]
) -> None:
    context = small_context(
        tmp_path,
        answer={"probability": probability},
        quality=InputQuality("4 slices x 5 phases", (), limited),
        options=ReportOptions(finding_code=coded, extra_objects=WANTED.extra_objects),
    )
    found = [code(item, "ConceptCodeSequence")[0] for item in named(report_of(context), "122113")]
    assert found == expected


def test_without_a_map_it_says_so_and_shows_nothing(tmp_path: Path) -> None:
    silent = small_context(tmp_path, answer={"attention": None, "attention_method": ""}, options=WANTED)
    document = report_of(silent)
    assert named(document, "130401") == []
    assert any("gave no attention map" in comment for comment in texts(document, "121106"))


def test_the_report_itself_still_knows_it_when_both_are_recast(context: ReportContext) -> None:
    report, document = of_kind(context, "sr", "cardiovascular")
    assert document.SOPInstanceUID in evidence(report)
    for sop_class in SR_CLASSES[1:]:
        recast = as_sr_class(document, sop_class)
        beside = as_sr_class(report, sop_class)
        assert recast.SOPInstanceUID in evidence(beside)
        assert document.SOPInstanceUID not in evidence(beside)


@pytest.mark.peers("dciodvfy")
def test_it_is_valid_under_every_class(document: Dataset, tmp_path: Path) -> None:
    for sop_class in SR_CLASSES:
        assert dciodvfy(saved(as_sr_class(document, sop_class), tmp_path / f"{sop_class}.dcm")) == []
