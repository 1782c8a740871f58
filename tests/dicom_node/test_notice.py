"""Notices on small studies on disk, made by the worker from headers alone."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from dicom_node.analysis.engine import AnalysisRequest, AnalysisResult, NoticeRequest, request_from_json
from dicom_node.analysis.notice import make_notice
from dicom_node.analysis.worker import Worker
from dicom_node.errors import Misattributed
from pipeline import ContradictoryStudy, UnreadableInstance
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from reports import Equipment, PriorReport, Refusal

EQUIPMENT = Equipment("dicom-node project", "dicom-node", "0.1.0", "0001", "DICOMNODE")
NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def study(tmp_path: Path) -> list[Path]:
    """3 slices x 8 phases, one file per image."""
    phantom = render(draw_heart(7), Scan(slices=3, phases=8, matrix=(24, 24)))
    return sorted(write_dicom(phantom, tmp_path, Layout.GE))


def request(files: list[Path], folder: Path, **changes: object) -> NoticeRequest:
    uid = str(dcmread(files[0], stop_before_pixels=True).StudyInstanceUID)
    refusal = Refusal("unreadable", "slice 1, phase 1: the pixels cannot be decoded")
    asked = NoticeRequest(uid, tuple(files), folder / "results", NOW, EQUIPMENT, refusal)
    return replace(asked, **changes)  # type: ignore[arg-type]


def rename(path: Path, patient_id: str) -> None:
    dataset = dcmread(path)
    dataset.PatientID = patient_id
    dataset.save_as(path)


def cited(report: Dataset) -> set[str]:
    """The images in the report's library."""
    group = report.ContentSequence[-1].ContentSequence[0]
    images = [item for item in group.ContentSequence if item.ValueType == "IMAGE"]
    return {str(item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID) for item in images}


def test_requests_of_both_kinds_survive_the_wire(study: list[Path], tmp_path: Path) -> None:
    asked = request(study, tmp_path, priors=(PriorReport("1.2", "1.3", "1.4"),))
    assert request_from_json(asked.as_json()) == asked
    analysis = AnalysisRequest("1.2.3", tuple(study), tmp_path, NOW, EQUIPMENT)
    assert request_from_json(analysis.as_json()) == analysis


def test_a_notice_is_the_same_whatever_the_pixels_are(study: list[Path], tmp_path: Path) -> None:
    before = [report.dataset for report in make_notice(request(study, tmp_path))]
    for path in study:
        content = path.read_bytes()
        path.write_bytes(content[:-1000] + b"\xff" * 1000)
    assert [report.dataset for report in make_notice(request(study, tmp_path))] == before


def test_the_worker_writes_a_notice_without_a_model(study: list[Path], tmp_path: Path) -> None:
    answers = io.StringIO()
    Worker(answers).serve([request(study, tmp_path).as_json().encode()])
    [line] = answers.getvalue().splitlines()
    assert "event" not in json.loads(line), "no model was loaded"
    result = AnalysisResult.from_json(line)
    assert (result.outcome, result.findings) == ("done", None)
    assert [file.kind for file in result.files] == ["notice", "notice-page"]
    report = dcmread(tmp_path / "results" / result.files[0].path)
    header = dcmread(study[0], stop_before_pixels=True)
    assert (report.PatientID, report.StudyInstanceUID) == (header.PatientID, header.StudyInstanceUID)
    assert cited(report) == {str(dcmread(path).SOPInstanceUID) for path in study}


def test_images_of_two_patients_are_told_to_the_one_most_of_them_name(
    study: list[Path], tmp_path: Path
) -> None:
    patient = dcmread(study[0]).PatientID
    for path in study[:2]:
        rename(path, "SOMEONE-ELSE")
    report = make_notice(request(study, tmp_path))[0].dataset
    assert report.PatientID == patient
    assert cited(report) == {str(dcmread(path).SOPInstanceUID) for path in study[2:]}


def test_where_as_many_images_name_the_one_patient_as_the_other_nobody_is_told(
    study: list[Path], tmp_path: Path
) -> None:
    for path in study[:12]:
        rename(path, "SOMEONE-ELSE")
    with pytest.raises(ContradictoryStudy, match="name 2 patients, none of them mostly"):
        make_notice(request(study, tmp_path))


def test_without_a_cine_one_image_of_each_series_is_cited(study: list[Path], tmp_path: Path) -> None:
    for number, path in enumerate(study[:3]):
        dataset = dcmread(path)
        dataset.SeriesInstanceUID = f"1.2.3.{number // 2}"
        dataset.save_as(path)
    report = make_notice(request(study[:3], tmp_path))[0].dataset
    assert cited(report) == {str(dcmread(path).SOPInstanceUID) for path in (study[0], study[2])}


def test_files_of_another_study_get_no_notice(study: list[Path], tmp_path: Path) -> None:
    with pytest.raises(Misattributed, match="belong to another one"):
        make_notice(request(study, tmp_path, study_instance_uid="1.2.3"))


def test_where_nothing_can_be_read_there_is_nobody_to_tell(study: list[Path], tmp_path: Path) -> None:
    asked = request(study[:1], tmp_path)
    study[0].write_bytes(b"not DICOM")
    with pytest.raises(UnreadableInstance):
        make_notice(asked)
