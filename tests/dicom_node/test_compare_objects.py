"""Which objects came out differently, and in which attribute: on reports of ours."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import JPEGLSLossless

from dicom_node.analysis.results import ResultFile, write_results
from dicom_node.operate.compare_objects import compare_runs, compare_with_file
from dicom_node.operate.differences import Difference, differences
from dicom_node.store.records import Result
from reports import ReportContext, build_reports
from tests.dicom_node.rows import START
from tests.reports.scans import small_context


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ReportContext:
    return small_context(tmp_path_factory.mktemp("scan"))


@pytest.fixture(scope="module")
def made(context: ReportContext, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Result]]:
    folder = tmp_path_factory.mktemp("made")
    return folder, [recorded(one) for one in write_results(build_reports(context), folder)]


def recorded(file: ResultFile) -> Result:
    """A result as the store would remember that file."""
    return Result(
        0,
        file.kind,
        file.sop_class_uid,
        file.sop_instance_uid,
        file.series_instance_uid,
        file.path,
        file.sha256,
        *("", "", 0, START, True, None, None),
    )


def test_an_equal_run_differs_in_nothing(
    context: ReportContext, made: tuple[Path, list[Result]], tmp_path: Path
) -> None:
    again = write_results(build_reports(context), tmp_path)
    assert list(compare_runs(made[1], again, (made[0], tmp_path))) == []


def test_another_probability_is_named_with_its_path_and_values(
    context: ReportContext, made: tuple[Path, list[Result]], tmp_path: Path
) -> None:
    other = replace(context, prediction=replace(context.prediction, probability=0.874))
    again = write_results(build_reports(other), tmp_path)
    found = list(compare_runs(made[1], again, (made[0], tmp_path)))
    assert [one.kind for one in found] == [one.kind for one in made[1]]
    values = [(one.recorded, one.found) for one in found[0].differences if one.path.endswith(".NumericValue")]
    assert values == [("87.3", "87.4")]
    assert all(one.is_identifier for one in found[0].differences if one.path.endswith("UID"))


def test_an_object_more_or_less_is_named(made: tuple[Path, list[Result]], tmp_path: Path) -> None:
    folder, results = made
    again = [
        ResultFile(one.kind, one.path, one.digest, 0, "", one.sop_instance_uid, "", "") for one in results
    ]
    fewer, more = (
        list(compare_runs(*pair, (folder, folder))) for pair in ((results, again[:-1]), (results[:-1], again))
    )
    last = results[-1].sop_instance_uid
    assert fewer[0].differences == (Difference("(file)", last, "(absent)"),)
    assert more[0].differences == (Difference("(file)", "(absent)", last),)


def test_pixels_of_a_picture_given_are_compared(made: tuple[Path, list[Result]], tmp_path: Path) -> None:
    folder, results = made
    page = folder / next(one.path for one in results if one.kind == "summary")
    assert compare_with_file(page, page, "") == []
    picture = dcmread(page)
    picture.PixelData = picture.PixelData[:-1] + b"\x07"
    picture.save_as(tmp_path / "touched.dcm")
    touched = compare_with_file(page, tmp_path / "touched.dcm", "")
    assert touched == [Difference("PixelData", "as we wrote it", "other bytes")]
    packed = dcmread(page)
    packed.compress(JPEGLSLossless, generate_instance_uid=False)
    packed.save_as(tmp_path / "packed.dcm")
    assert compare_with_file(page, tmp_path / "packed.dcm", "")[-1] == Difference(
        "PixelData", "as we wrote it", "compressed since, and not compared"
    )


def test_our_own_file_gone_is_a_difference(made: tuple[Path, list[Result]], tmp_path: Path) -> None:
    given = made[0] / made[1][0].path
    [found] = compare_with_file(tmp_path / "gone.dcm", given, "")
    assert "No such file" in found.found


def test_items_more_and_values_of_another_type_are_told_apart() -> None:
    ours, theirs = Dataset(), Dataset()
    item = Dataset()
    item.NumericValue = ["1.50", "2"]
    ours.ContentSequence, theirs.ContentSequence = [item], [item, item]
    ours.Rows, theirs.Rows = 3, 4
    ours.PatientComments, theirs.PatientComments = "", None
    ours.StudyID = "x" * 200
    assert list(differences(ours, theirs)) == [
        Difference("StudyID", "x" * 120 + "…", "(absent)"),
        Difference("Rows", "3", "4"),
        Difference("ContentSequence", "1 items", "2 items"),
    ]
