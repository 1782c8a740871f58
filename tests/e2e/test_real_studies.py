"""DCMTK sends real studies to `dicom-node serve`; Orthanc holds the reports a moment later."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import Comprehensive3DSRStorage

from tests.e2e.conftest import Site
from tests.e2e.node import study_uid
from tests.peers import storescu

pytestmark = [
    pytest.mark.slow,
    pytest.mark.data,
    pytest.mark.peers("storescu", "Orthanc"),
    # the studies' own UIDs are invalid, and are copied verbatim
    pytest.mark.filterwarnings("ignore:Invalid value for VR UI"),
]


def _send(site: Site, files: list[Path]) -> None:
    ran = storescu(files, site.node.port, site.node.ae_title)
    assert ran.code == 0, ran.output
    assert ran.output.count("Success") >= len(files), ran.output


def _current_sr(site: Site, study: str) -> Dataset:
    """The measurements in Orthanc that no others there supersede: there must be exactly one."""
    reports = [
        report
        for report in site.pacs.datasets("SR")
        if (report.StudyInstanceUID, report.SOPClassUID) == (study, Comprehensive3DSRStorage)
    ]
    superseded = {
        str(reference.ReferencedSOPInstanceUID)
        for report in reports
        for document in report.get("PredecessorDocumentsSequence", [])
        for series in document.ReferencedSeriesSequence
        for reference in series.ReferencedSOPSequence
    }
    [current] = [report for report in reports if str(report.SOPInstanceUID) not in superseded]
    return current


def _texts(dataset: Dataset) -> str:
    return "\n".join(str(element.value) for element in dataset.iterall() if element.keyword == "TextValue")


def _source_references(report: Dataset) -> set[str]:
    return {
        str(reference.ReferencedSOPInstanceUID)
        for study in report.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for reference in series.ReferencedSOPSequence
    }


def _check_report(site: Site, files: list[Path], grid: str, cine: int) -> Dataset:
    header = dcmread(files[0], stop_before_pixels=True)
    report = _current_sr(site, str(header.StudyInstanceUID))
    assert report.PatientID == header.PatientID
    assert grid in _texts(report)
    assert "DEMONSTRATION WEIGHTS" in _texts(report)
    sent = {str(dcmread(path, specific_tags=["SOPInstanceUID"]).SOPInstanceUID) for path in files}
    assert len(sent & _source_references(report)) == cine
    return report


@pytest.mark.parametrize(("patient", "grid", "cine"), [("SC-HF-I-4", "10 slices x 20 phases", 200)])
def test_a_ge_study_comes_back_as_a_report_and_twice_is_once(
    site: Site, sunnybrook: Callable[[str], list[Path]], patient: str, grid: str, cine: int
) -> None:
    files = sunnybrook(patient)
    study = study_uid(files)
    mark = site.node.mark()
    _send(site, files)
    site.node.settled(study, "delivered", since=mark)
    _check_report(site, files, grid, cine)

    before = site.pacs.instances()
    events = site.node.show(study)["events"]
    mark = site.node.mark()
    _send(site, files)
    site.node.wait_for("association-closed", since=mark)
    assert site.node.show(study)["events"] == events
    assert sorted(site.pacs.instances()) == sorted(before)


def test_a_siemens_study_of_one_series_per_slice_comes_back_as_a_report(
    site: Site, bivme: list[Path]
) -> None:
    mark = site.node.mark()
    _send(site, bivme)
    site.node.settled(study_uid(bivme), "delivered", since=mark)
    _check_report(site, bivme, "6 slices x 25 phases", 150)


def test_a_late_slice_gives_one_superseding_report(
    site: Site, sunnybrook: Callable[[str], list[Path]]
) -> None:
    files = sunnybrook("SC-HF-I-1")
    study = study_uid(files)
    last = {tuple(dcmread(path, stop_before_pixels=True).ImagePositionPatient) for path in files[-20:]}
    assert len(last) == 1, "the last twenty files are one slice"

    mark = site.node.mark()
    _send(site, files[:-20])
    site.node.settled(study, "delivered", since=mark)
    first = _check_report(site, files[:-20], "11 slices x 20 phases", 220)

    mark = site.node.mark()
    _send(site, files[-20:])
    site.node.settled(study, "delivered", since=mark)
    second = _check_report(site, files, "12 slices x 20 phases", 240)
    predecessors = [
        str(reference.ReferencedSOPInstanceUID)
        for document in second.PredecessorDocumentsSequence
        for series in document.ReferencedSeriesSequence
        for reference in series.ReferencedSOPSequence
    ]
    assert predecessors == [str(first.SOPInstanceUID)]


def test_a_study_with_a_gap_is_analysed_after_the_quiet_time_and_says_what_is_missing(
    site: Site, sunnybrook: Callable[[str], list[Path]], tmp_path: Path
) -> None:
    uid = "1.2.3.4.5.6.7"
    files = []
    for path in sunnybrook("SC-HF-I-4"):
        dataset = dcmread(path)
        dataset.StudyInstanceUID = uid
        files.append(tmp_path / path.name)
        dataset.save_as(files[-1])
    mark = site.node.mark()
    _send(site, files[:65] + files[70:])
    site.node.settled(uid, "delivered", since=mark)
    assert site.node.show(uid)["verdict"]["rule"] == "grid incomplete, quiet time over"
    assert "slice 4, phases 6-10" in _texts(_current_sr(site, uid))
