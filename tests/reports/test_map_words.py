"""Every object calls the map what it is; what is made from attention is what it always was."""

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from models import Method
from pipeline.centre import Centre
from reports import ExtraObject, Report, ReportContext, ReportOptions, build_reports, sr_text
from reports.draft import Draft
from reports.page_text import paragraphs
from tests.reports.scans import COLUMNS, PHASES, ROWS, SLICES, small_context

BEFORE = {
    "key_phase": "3005ce3f7b014bf479b4a926b672ec6179349ec725a32f581f4fc248a64897c1",
    "all_phases": "c1169d2f3a7d3d5552973a2d9d4665a7d3860226ee525a32f42532d865002087",
}
"""SHA-256 of all objects made from attention, one after the other, before there was another method."""
STATEMENT = {Method.GRADCAM: "Grad-CAM, not a gate.", Method.OCCLUSION: "Occlusion, not a gate."}


def explained(folder: Path, images: str = "key_phase", **answer: Any) -> ReportContext:
    """A report with everything on, about a map of numbers that every processor writes alike."""
    values = np.zeros((PHASES, SLICES, ROWS, COLUMNS), np.float32)
    values[3, 1, 26:34, 16:24] = 0.5
    values[3, 1, 30, 20] = 1.0
    values[2, 2, 28:32, 20:28] = 0.25
    given: dict[str, Any] = {"attention": values, "centre": Centre(30.0, 25.0, "truth")}
    options = ReportOptions(attention_images=images, extra_objects=get_args(ExtraObject))  # type: ignore[arg-type]
    return small_context(folder, answer=given | answer, options=options)


def written(reports: list[Report]) -> bytes:
    whole = BytesIO()
    for report in reports:
        one = BytesIO()
        report.dataset.save_as(one, enforce_file_format=True)
        whole.write(one.getvalue())
    return whole.getvalue()


@pytest.mark.parametrize("images", BEFORE)
def test_what_is_made_from_attention_is_what_it_was(images: str, tmp_path: Path) -> None:
    found = hashlib.sha256(written(build_reports(explained(tmp_path, images)))).hexdigest()
    assert found == BEFORE[images]


@pytest.mark.parametrize("method", STATEMENT)
@pytest.mark.parametrize("images", BEFORE)
def test_no_object_calls_another_map_attention(method: Method, images: str, tmp_path: Path) -> None:
    context = explained(tmp_path, images, explained_by=method, attention_method=STATEMENT[method])
    reports = build_reports(context)
    assert {report.kind for report in reports} >= {
        "sr",
        "text",
        "attention",
        "parametric_map",
        "segmentation",
    }
    for report in reports:
        pixels = ("PixelData", "FloatPixelData", "EncapsulatedDocument")
        texts = [str(element) for element in report.dataset.iterall() if element.keyword not in pixels]
        said = "\n".join(texts).replace("shows no attention", "")
        assert "attention" not in said.lower(), report.kind
        assert "looked" not in said, report.kind


@pytest.mark.parametrize(("method", "name"), [(Method.GRADCAM, "Grad-CAM"), (Method.OCCLUSION, "occlusion")])
def test_reports_and_page_say_which_map_it_is(method: Method, name: str, tmp_path: Path) -> None:
    context = explained(tmp_path, explained_by=method, attention_method=STATEMENT[method])
    texts = {
        report.kind: sr_text(report.dataset)
        for report in build_reports(context)
        if report.kind in ("sr", "text")
    }
    for text in texts.values():
        assert f"{STATEMENT[method]} The map is made by {name} and shows no attention." in text
    (about,) = (part for part in paragraphs(Draft.of(context)) if part.heading == "The map")
    assert about.sentences == (STATEMENT[method],)


def test_grad_cam_has_the_code_of_the_standard(tmp_path: Path) -> None:
    context = explained(tmp_path, explained_by=Method.GRADCAM)
    (mapped,) = (report.dataset for report in build_reports(context) if report.kind == "parametric_map")
    shared = mapped.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    codes = {item.ConceptCodeSequence[0].CodeValue for item in shared.QuantityDefinitionSequence}
    assert "130403" in codes


def test_why_there_is_no_map_is_said_in_the_report(tmp_path: Path) -> None:
    context = explained(tmp_path, attention=None, attention_method="", why_no_map="memory was short")
    texts = [sr_text(report.dataset) for report in build_reports(context) if report.kind in ("sr", "text")]
    assert len(texts) == 2
    assert all("There is no map: memory was short. The point in the" in text for text in texts)


def test_two_methods_never_share_a_uid(tmp_path: Path) -> None:
    context = explained(tmp_path)
    other = explained(tmp_path, explained_by=Method.GRADCAM)
    assert context.fingerprint != other.fingerprint
