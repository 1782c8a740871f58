"""The report as text."""

from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.uid import (
    BasicTextSRStorage,
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    EnhancedSRStorage,
)

from reports import (
    InputQuality,
    PriorReport,
    ReportError,
    ReportForm,
    ReportOptions,
    as_sr_class,
    build_reports,
)
from reports.context import stable_uid
from reports.sr_class import recast_uid, sr_forms
from tests.peers import dciodvfy, dsrdump
from tests.reports.scans import model, small_context
from tests.reports.tree import code, evidence, items, named, texts, wrong_meanings

MEASURED = PriorReport(Comprehensive3DSRStorage, stable_uid("old sr"), stable_uid("old sr series"))
TEXT = PriorReport(BasicTextSRStorage, stable_uid("old text"), stable_uid("old text series"))


def documents(folder: Path, **changes: object) -> dict[str, Dataset]:
    """What was made, by kind; of the overlays the last."""
    made = build_reports(small_context(folder, **changes))  # type: ignore[arg-type]
    return {report.kind: report.dataset for report in made}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    limited = InputQuality("4 slices x 5 phases, one plane missing", ("Slice 2 is incomplete.",), True)
    return documents(
        tmp_path_factory.mktemp("text"), quality=limited, answer={"model": model(demonstration=True)}
    )


def test_the_summary_is_the_first_line_and_carries_the_banner(made: dict[str, Dataset]) -> None:
    lines = [item.TextValue for item in items(made["text"]) if item.ValueType == "TEXT"]
    assert lines[0] == (
        "DEMONSTRATION WEIGHTS, RESEARCH USE ONLY. ST-RAN 1.0.0: probability of myocardial scar 87.3 %, "
        "above the operating threshold of 50.0 %."
    )
    assert "no clinical data ever trained this model" in lines[1]


def test_the_text_says_in_words_what_the_measurements_say_in_numbers(made: dict[str, Dataset]) -> None:
    report, measured = made["text"], made["sr"]
    said = {item.TextValue for item in items(report) if item.ValueType == "TEXT"}
    for name in ("121111", "111001", "111002", "111003"):
        assert (
            set(texts(named(measured, "126010")[0], name)) | set(texts(named(measured, "C0034375")[0], name))
            <= said
        )
    for question in ("122113", "130549"):
        answers = {code(item, "ConceptCodeSequence") for item in named(measured, question)}
        assert {code(item, "ConceptCodeSequence") for item in named(report, question)} == answers
    assert "Slice 2 is incomplete." in said


def test_the_attention_by_segment_is_a_line_of_the_findings(tmp_path: Path) -> None:
    from reports.draft import Draft
    from reports.segment_items import segments_in_words

    context = small_context(tmp_path)
    report = {one.kind: one.dataset for one in build_reports(context)}["text"]
    sentence = segments_in_words(Draft.of(context))
    assert texts(named(report, "59776-5")[0], "121111") == ([sentence] if sentence else [])


def test_everything_it_says_fits_a_basic_text_report(made: dict[str, Dataset]) -> None:
    report = made["text"]
    kinds = {item.ValueType for item in items(report)}
    assert kinds <= {"CONTAINER", "TEXT", "CODE", "UIDREF"}
    assert (report.SOPClassUID, code(report)) == (BasicTextSRStorage, ("25056-3", "LN"))
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "2000"
    assert wrong_meanings(report) == []
    assert all(
        item.ContinuityOfContent == "SEPARATE" for item in items(report) if item.ValueType == "CONTAINER"
    )
    assert (report.CompletionFlag, report.PreliminaryFlag, report.VerificationFlag) == (
        "COMPLETE",
        "PRELIMINARY",
        "UNVERIFIED",
    )


def test_it_is_a_series_of_its_own_and_the_measurements_name_it(made: dict[str, Dataset]) -> None:
    report, measured = made["text"], made["sr"]
    assert report.SeriesInstanceUID != measured.SeriesInstanceUID
    assert report.SOPInstanceUID in evidence(measured)
    assert {made["summary"].SOPInstanceUID, made["attention"].SOPInstanceUID} <= evidence(report)
    assert report.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == made["summary"].SOPInstanceUID
    assert (
        report.ContributingEquipmentSequence[-1].DeviceUID
        == measured.ContributingEquipmentSequence[-1].DeviceUID
    )


@pytest.mark.parametrize(
    ("form", "kinds"), [("both", {"sr", "text"}), ("measurements", {"sr"}), ("text", {"text"})]
)
def test_a_site_chooses_the_forms_and_none_leaves_a_report_without_successor(
    tmp_path: Path, form: ReportForm, kinds: set[str]
) -> None:
    found = documents(tmp_path, options=ReportOptions(form=form), priors=(MEASURED, TEXT))
    assert set(found) & {"sr", "text"} == kinds
    replaced = [
        reference.ReferencedSOPInstanceUID
        for kind in sorted(kinds)
        for study in found[kind].PredecessorDocumentsSequence
        for series in study.ReferencedSeriesSequence
        for reference in series.ReferencedSOPSequence
    ]
    assert replaced == [MEASURED.sop_instance_uid, TEXT.sop_instance_uid]


@pytest.mark.peers("dciodvfy", "dsrdump")
@pytest.mark.parametrize("sop_class", sr_forms(BasicTextSRStorage))
def test_the_text_is_valid_under_every_class(
    made: dict[str, Dataset], tmp_path: Path, sop_class: str
) -> None:
    path = tmp_path / "text.dcm"
    as_sr_class(made["text"], sop_class).save_as(path, enforce_file_format=True)
    assert dciodvfy(path) == []
    assert "probability of myocardial scar 87.3 %" in dsrdump(path)


def test_text_goes_to_an_archive_without_basic_text_as_the_next_plainest_class() -> None:
    assert sr_forms(BasicTextSRStorage) == (
        BasicTextSRStorage,
        EnhancedSRStorage,
        ComprehensiveSRStorage,
        Comprehensive3DSRStorage,
    )


def test_measurements_are_never_sent_as_basic_text(made: dict[str, Dataset]) -> None:
    assert BasicTextSRStorage not in sr_forms(Comprehensive3DSRStorage)
    with pytest.raises(ReportError, match="cannot be written as Basic Text SR"):
        as_sr_class(made["sr"], BasicTextSRStorage)


def test_recast_text_names_text_as_it_was_recast_and_measurements_as_they_are(tmp_path: Path) -> None:
    alone = documents(tmp_path, options=ReportOptions(form="text"), priors=(MEASURED, TEXT))["text"]
    recast = as_sr_class(alone, EnhancedSRStorage)
    references = [
        (reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID)
        for series in recast.PredecessorDocumentsSequence[0].ReferencedSeriesSequence
        for reference in series.ReferencedSOPSequence
    ]
    assert references == [
        (Comprehensive3DSRStorage, MEASURED.sop_instance_uid),
        (EnhancedSRStorage, recast_uid(TEXT.sop_instance_uid, EnhancedSRStorage)),
    ]
