"""Every object a site may ask for leaves the node, is stored by an archive, and does no harm when it comes back."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    EncapsulatedPDFStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    KeyObjectSelectionDocumentStorage,
)

from dicom_node.archive.note import read_note
from dicom_node.config_sections import Destination
from dicom_node.delivery.destination import Pacs
from dicom_node.delivery.dimse_status import Verdict
from dicom_node.delivery.storage_scu import ResultObject
from reports import ExtraObject, ReportOptions, build_reports
from tests.dicom_node.receiving import Receiver, receiver
from tests.peers import Orthanc, storescu
from tests.reports.scans import small_context

DOCUMENTS = {
    EncapsulatedPDFStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    KeyObjectSelectionDocumentStorage,
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Everything that can be made of one study."""
    folder = tmp_path_factory.mktemp("made")
    everything = ReportOptions(extra_objects=get_args(ExtraObject))
    paths = []
    context = small_context(tmp_path_factory.mktemp("study"), options=everything)
    for number, made in enumerate(build_reports(context)):
        paths.append(folder / f"{number:02d}-{made.kind}.dcm")
        made.dataset.save_as(paths[-1], enforce_file_format=True)
    assert {dcmread(path).SOPClassUID for path in paths} > DOCUMENTS
    return paths


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Orthanc]:
    with Orthanc(tmp_path / "orthanc") as running:
        yield running


def held(orthanc: Orthanc) -> dict[str, Dataset]:
    found = map(orthanc.dataset, orthanc.instances())
    return {str(dataset.SOPInstanceUID): dataset for dataset in found}


def sent(files: list[Path]) -> dict[str, Dataset]:
    return {str(dataset.SOPInstanceUID): dataset for dataset in map(dcmread, files)}


@pytest.mark.peers("Orthanc")
def test_our_own_delivery_puts_all_of_them_into_orthanc_unchanged(
    files: list[Path], orthanc: Orthanc
) -> None:
    settings = Destination(
        name="orthanc", host="127.0.0.1", port=orthanc.dicom_port, ae_title=orthanc.ae_title
    )
    objects = [
        ResultObject(path, str(dataset.SOPClassUID), str(dataset.SOPInstanceUID))
        for path, dataset in zip(files, map(dcmread, files), strict=True)
    ]
    outcomes = Pacs(settings, "DICOMNODE", 30.0).send(objects)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.SENT] * len(files)
    assert held(orthanc) == sent(files)


@pytest.mark.peers("storescu", "Orthanc")
def test_dcmtk_can_pass_all_of_them_on(files: list[Path], orthanc: Orthanc) -> None:
    ran = storescu(files, orthanc.dicom_port, orthanc.ae_title, options=["-R"])
    assert ran.statuses == ["Success"] * len(files), ran.output
    assert held(orthanc) == sent(files)


@pytest.mark.peers("storescu")
def test_all_of_them_are_taken_and_dropped_when_a_router_sends_them_back(
    files: list[Path], tmp_path: Path
) -> None:
    with receiver(tmp_path / "archive") as node:
        ran = storescu(files, node.port, "DICOMNODE", options=["-R"])
        assert ran.statuses == ["Success"] * len(files), ran.output
        study = str(dcmread(files[0]).StudyInstanceUID)
        assert _notes(node, study) == ["a result of our own, or of a node like us"] * len(files)
        assert node.kept(study) == []


def _notes(node: Receiver, study: str) -> list[str]:
    return [read_note(node.archive.open(path)).reason for path in node.archive.study_paths(study)]
