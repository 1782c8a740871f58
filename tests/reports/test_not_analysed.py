"""A study without a result: what its reader is told, and that strangers' programs can read it."""

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from pydicom.dataset import Dataset

from pipeline import PlaneSource, read_study
from reports import Cause, NoticeContext, PriorReport, Refusal, build_notice, sr_text
from reports.not_analysed_page import page
from reports.page_style import HEIGHT
from tests.peers.validators import dsr2html, dsrdump, object_verdict, pixelmed
from tests.reports.allowed import own_faults, unexpected
from tests.reports.scans import EQUIPMENT, NOW, one_multiframe, single_frames
from tests.reports.tree import items

PRIOR = PriorReport("1.2.840.10008.5.1.4.1.1.88.34", "2.25.77", "2.25.78")
HOLES = "8 slices x 12 phases, missing: slice 2, phase 6"
REFUSALS = [Refusal(cause, HOLES if cause not in ("fault", "time") else "") for cause in get_args(Cause)]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> NoticeContext:
    """A study of 5 x 4 single-frame images, one of which was missing."""
    folder = tmp_path_factory.mktemp("study")
    sources = [source for row in single_frames(folder) for source in row]
    study = read_study(sorted(folder.glob("*.dcm")))
    return NoticeContext(study, tuple(sources), Refusal("incomplete", HOLES), EQUIPMENT, NOW)


def document(context: NoticeContext) -> Dataset:
    """The structured report."""
    return build_notice(context)[0].dataset


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.cause)
def test_the_reader_learns_the_reason_the_remedy_and_that_it_is_no_normal_result(
    context: NoticeContext, refusal: Refusal
) -> None:
    report = document(replace(context, refusal=refusal))
    text = sr_text(report)
    assert f"Summary: RESEARCH USE ONLY. This study was not analysed. {refusal.reason}" in text
    assert f"Comment: {refusal.remedy}" in text
    assert "The absence of a result is not a normal result." in text
    assert text.index("Qualitative Evaluations") < text.index("Image Library")


def test_nothing_is_measured_found_or_located(context: NoticeContext) -> None:
    report = document(context)
    types = {item.ValueType for item in items(report)}
    assert types == {"CONTAINER", "CODE", "UIDREF", "TEXT", "IMAGE"}
    named = {
        item.ConceptNameCodeSequence[0].CodeMeaning for item in items(report) if item.ValueType == "CODE"
    }
    assert named == {
        "Language of Content Item and Descendants",
        "Observer Type",
        "Procedure reported",
        "Modality",
    }


def test_what_went_wrong_in_the_node_stays_there() -> None:
    for cause in ("fault", "time"):
        refusal = Refusal(cause)
        assert "administrator has been told" in refusal.remedy
        assert refusal.reason.endswith(".")
        assert ":" not in refusal.reason


def test_words_quoted_from_a_header_are_not_shown(context: NoticeContext) -> None:
    detail = 'the best stack is another view, 3 x 20 "Doe^Jane "x" y", 50° from\nthe short axis\x1b'
    refusal = Refusal("no_cine", detail)
    assert refusal.reason == (
        "No complete short-axis cine was found: the best stack is another view, 3 x 20, 50° from the short axis."
    )
    assert "Doe" not in sr_text(document(replace(context, refusal=refusal)))


def test_every_image_looked_at_is_cited_once_and_the_page_renders_the_report(context: NoticeContext) -> None:
    report, picture = (made.dataset for made in build_notice(context))
    cited = [
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for item in items(report)
        if item.ValueType == "IMAGE"
    ]
    assert sorted(cited) == sorted(image.sop_instance_uid for image in context.images)
    assert len(set(cited)) == 20
    assert report.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == picture.SOPInstanceUID
    assert picture.SourceImageSequence[0].ReferencedSOPInstanceUID == context.images[0].sop_instance_uid
    assert {report.SeriesDescription, picture.SeriesDescription} == {"Not analysed: RESEARCH USE ONLY"}


def test_an_earlier_report_is_named_and_said_to_stand_no_longer(context: NoticeContext) -> None:
    assert "PredecessorDocumentsSequence" not in document(context)
    assert "no longer stands" not in sr_text(document(context))
    report = document(replace(context, priors=(PRIOR,)))
    series = report.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "2.25.77"
    assert "An earlier result of this node on this study no longer stands." in sr_text(report)


def test_equal_contexts_make_equal_bytes_and_any_change_makes_other_objects(
    context: NoticeContext, tmp_path: Path
) -> None:
    assert _bytes(context, tmp_path / "one.dcm") == _bytes(context, tmp_path / "two.dcm")
    changed = [
        context,
        replace(context, refusal=Refusal("incomplete", "another slice")),
        replace(context, refusal=Refusal("contract", HOLES)),
        replace(context, priors=(PRIOR,)),
        replace(context, now=NOW + timedelta(seconds=1)),
        replace(context, config_sha256="other"),
        replace(context, images=context.images[1:]),
        replace(context, equipment=replace(EQUIPMENT, station_name="OTHER")),
    ]
    uids = [made.dataset.SOPInstanceUID for one in changed for made in build_notice(one)]
    assert len(set(uids)) == 2 * len(changed)


def _bytes(context: NoticeContext, path: Path) -> list[bytes]:
    found = []
    for made in build_notice(context):
        made.dataset.save_as(path, enforce_file_format=True)
        found.append(path.read_bytes())
    return found


def test_the_longest_reason_leaves_the_signature_alone(context: NoticeContext) -> None:
    longest = replace(context, refusal=Refusal("contradictory", "wide " * 400), priors=(PRIOR,))
    shown = page(longest)
    assert (shown[HEIGHT - 120 : HEIGHT - 80] == shown[-1, 0]).all(), "the text ends above the signature"
    assert np.any(shown[HEIGHT - 80 : HEIGHT - 40] != shown[-1, 0]), "and there it is"


@pytest.mark.peers("dciodvfy", "dsrdump", "dsr2html", "java", "pixelmed")
def test_strangers_find_nothing_wrong_with_it(context: NoticeContext, tmp_path: Path) -> None:
    made, sources = [], []
    (tmp_path / "enhanced").mkdir()
    plane = one_multiframe(tmp_path / "enhanced")[0][0]
    whole = PlaneSource(plane.sop_class_uid, plane.sop_instance_uid, plane.series_instance_uid)
    study = read_study([tmp_path / "enhanced" / "1.dcm"])
    for one in (replace(context, priors=(PRIOR,)), replace(context, study=study, images=(whole,))):
        for report in build_notice(one):
            made.append(tmp_path / f"{len(made)}.dcm")
            sources.append(one.source_header)
            report.dataset.save_as(made[-1], enforce_file_format=True)
    for path, source in zip(made, sources, strict=True):
        verdict = object_verdict(path)
        assert own_faults(verdict.errors, set()) == []
        assert unexpected(verdict.warnings, source) == []
    assert "This study was not analysed" in dsrdump(made[0])
    assert "Images of the short-axis cine are missing" in dsr2html(made[2])
    as_1500 = tmp_path / "1500.dcm"
    _with_title_of_1500(document(context)).save_as(as_1500, enforce_file_format=True)
    verdicts = pixelmed(made[0], made[2], as_1500)
    assert [verdict.errors for verdict in verdicts[:2]] == [[], []]
    assert {verdict.root_template for verdict in verdicts} == {"TID_1500"}
    # under that title, which OHIF does not show as text, the whole tree is the template's
    assert verdicts[2].warnings == []
    assert all("not found in context group 100" in error for error in verdicts[2].errors)


def _with_title_of_1500(report: Dataset) -> Dataset:
    renamed = deepcopy(report)
    renamed.ConceptNameCodeSequence[0].CodeValue = "126000"
    renamed.ConceptNameCodeSequence[0].CodeMeaning = "Imaging Measurement Report"
    return renamed
