"""Films, maps and regions on their way to a real PACS."""

from pathlib import Path

import pytest
from pydicom import dcmread

from dicom_node import config_sections
from dicom_node.analysis.results import write_results
from dicom_node.conformance import SERVICES, Role
from dicom_node.delivery.destination import Pacs
from dicom_node.delivery.dimse_status import Verdict
from dicom_node.delivery.storage_scu import ResultObject
from reports import ReportOptions, build_reports
from tests.peers.orthanc import Orthanc
from tests.reports.scans import SLICES, small_context

OPTIONS = ReportOptions(attention_images="all_phases", extra_objects=("parametric_map", "segmentation"))


@pytest.mark.peers("Orthanc")
def test_orthanc_keeps_films_maps_and_regions_unchanged(tmp_path: Path) -> None:
    made = build_reports(small_context(tmp_path / "in", options=OPTIONS))
    files = write_results(made, tmp_path / "results")
    assert [file.kind for file in files[3:]] == [*["attention"] * SLICES, "parametric_map", "segmentation"]
    objects = [
        ResultObject(tmp_path / "results" / file.path, file.sop_class_uid, file.sop_instance_uid)
        for file in files
    ]
    with Orthanc(tmp_path / "orthanc") as orthanc:
        settings = config_sections.Destination(
            name="pacs", host="127.0.0.1", port=orthanc.dicom_port, ae_title=orthanc.ae_title
        )
        outcomes = Pacs(settings, "DICOMNODE", 30.0).send(objects)
        kept = {dataset.SOPInstanceUID: dataset for dataset in map(orthanc.dataset, orthanc.instances())}
    assert {outcome.verdict for outcome in outcomes} == {Verdict.SENT}
    assert kept == {one.sop_instance_uid: dcmread(one.path) for one in objects}
    sent = {str(service.sop_class_uid) for service in SERVICES if service.role is Role.SCU}
    assert {file.sop_class_uid for file in files} <= sent
    assert all(len(file.kind) <= 16 for file in files)
