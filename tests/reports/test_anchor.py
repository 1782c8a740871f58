"""Where the arrow of a report ends."""

from pathlib import Path

import pytest
from pydicom import Dataset

from reports import ReportOptions, build_reports
from reports.context import stable_uid
from tests.reports.scans import Change, one_multiframe, small_context
from tests.reports.tree import evidence, named


def own_frame_of_reference(image: Dataset) -> None:
    image.FrameOfReferenceUID = stable_uid("frame of", str(image.SOPInstanceUID))


def nothing(_image: Dataset) -> None:
    pass


def point_and_overlays(
    folder: Path, change: Change, **changes: object
) -> tuple[Dataset, Dataset, list[Dataset]]:
    made = build_reports(small_context(folder, change=change, **changes))  # type: ignore[arg-type]
    document = made[0].dataset
    point = named(document, "SCAR-PROB")[0].ContentSequence[0]
    assert point.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID in evidence(document)
    return (
        point,
        point.ContentSequence[0].ReferencedSOPSequence[0],
        [one.dataset for one in made if one.kind == "attention"],
    )


def test_in_one_frame_of_reference_it_ends_on_the_source_image(tmp_path: Path) -> None:
    point, image, overlays = point_and_overlays(tmp_path, nothing)
    assert list(point.GraphicData) == [20.5, 30.5]
    assert image.ReferencedSOPInstanceUID not in {overlay.SOPInstanceUID for overlay in overlays}


def test_where_every_image_has_its_own_frame_of_reference_it_ends_on_the_overlay(tmp_path: Path) -> None:
    point, image, overlays = point_and_overlays(tmp_path, own_frame_of_reference)
    factor = overlays[1].Rows // 64
    assert image.ReferencedSOPInstanceUID == overlays[1].SOPInstanceUID
    assert list(point.GraphicData) == pytest.approx([20.5 * factor, 30.5 * factor])
    assert len({overlay.FrameOfReferenceUID for overlay in overlays}) == 1


def test_on_an_overlay_that_plays_it_names_the_frame(tmp_path: Path) -> None:
    options = ReportOptions(attention_images="all_phases")
    _, image, overlays = point_and_overlays(tmp_path, own_frame_of_reference, options=options)
    assert image.ReferencedSOPInstanceUID == overlays[1].SOPInstanceUID
    assert image.ReferencedFrameNumber == 4


def test_without_an_overlay_it_stays_on_the_source(tmp_path: Path) -> None:
    silent = {"attention": None, "attention_method": ""}
    _, image, overlays = point_and_overlays(tmp_path, own_frame_of_reference, answer=silent)
    assert overlays == []
    assert image.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.4"


def test_one_multi_frame_image_is_one_frame_of_reference(tmp_path: Path) -> None:
    _, image, _ = point_and_overlays(tmp_path, own_frame_of_reference, write=one_multiframe)
    assert image.ReferencedFrameNumber == 1 + 1 * 5 + 3
