"""The key object selection: which images, how they are named, and what is not in it."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from reports import ReportContext
from tests.reports.extras import asking_for, of_kind
from tests.reports.scans import PHASES, one_multiframe, small_context
from tests.reports.tree import code, evidence, items, referenced, texts

WANTED = asking_for("key_objects")


def references(document: Dataset) -> list[Dataset]:
    return [item.ReferencedSOPSequence[0] for item in items(document) if "ReferencedSOPSequence" in item]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ReportContext:
    return small_context(tmp_path_factory.mktemp("key"), options=WANTED)


@pytest.fixture(scope="module")
def document(context: ReportContext) -> Dataset:
    (made,) = of_kind(context, "key_objects")
    return made


def test_the_images_with_most_attention_come_first_then_the_page_and_the_overlays_on_them(
    context: ReportContext, document: Dataset
) -> None:
    page, *overlays = of_kind(context, "summary", "attention")
    # The attention peaks in slice 1 and falls off alike on both sides; slice 3 is farthest.
    slices = (1, 0, 2)
    assert [reference.ReferencedSOPInstanceUID for reference in references(document)] == [
        *(context.volume.sources[3][slice_].sop_instance_uid for slice_ in slices),
        page.SOPInstanceUID,
        *(overlays[slice_].SOPInstanceUID for slice_ in slices),
    ]


def test_its_title_is_for_research(document: Dataset) -> None:
    assert code(document) == ("113009", "DCM")


def test_its_description_says_what_it_is(document: Dataset) -> None:
    (description,) = texts(document, "113012")
    assert description.startswith("RESEARCH USE ONLY")
    assert "phase 4" in description


def test_its_images_have_no_concept_name(document: Dataset) -> None:
    images = [item for item in items(document) if item.ValueType == "IMAGE"]
    assert len(images) == 7
    assert all("ConceptNameCodeSequence" not in image for image in images)


def test_exactly_what_it_cites_is_in_its_evidence(document: Dataset) -> None:
    assert referenced(document) == evidence(document)


def test_the_report_is_not_cited_since_it_may_be_stored_under_another_uid(
    context: ReportContext, document: Dataset
) -> None:
    (report,) = of_kind(context, "sr")
    assert report.SOPInstanceUID not in referenced(document)


def test_a_multi_frame_source_is_cited_by_frame(tmp_path: Path) -> None:
    (document,) = of_kind(small_context(tmp_path, write=one_multiframe, options=WANTED), "key_objects")
    frames = [reference.get("ReferencedFrameNumber") for reference in references(document)]
    assert frames == [1 * PHASES + 4, 0 * PHASES + 4, 2 * PHASES + 4, None, None, None, None]


def test_without_a_map_there_is_nothing_to_select(tmp_path: Path) -> None:
    silent = small_context(tmp_path, answer={"attention": None, "attention_method": ""}, options=WANTED)
    assert of_kind(silent, "key_objects") == []


def test_it_is_written_only_where_the_site_asks(tmp_path: Path) -> None:
    assert of_kind(small_context(tmp_path), "key_objects") == []
