"""Results in a real archive: found beside their images, handed out whole, and the archive answers for them."""

import queue
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import (
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
)

from reports.charset import text_of
from reports.context import stable_uid
from tests.peers import Orthanc, free_port, storescu
from tests.reports.made import Made, make
from tests.reports.studies import SOURCES

pytestmark = pytest.mark.peers("Orthanc", "storescu")
NAMES = {
    "ISO_IR 100": "Müller^Jörg",
    "ISO 2022 IR 87": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "GB18030": "Wang^XiaoDong=王^小东",
    "ISO_IR 192": "Ångström^Ø=山田",
}
NODE, WAIT_S = "DICOMNODE", 30.0


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    folder = tmp_path_factory.mktemp("orthanc")
    with Orthanc(folder, dicomweb=True, callers={NODE: free_port()}) as running:
        yield running


@pytest.fixture
def empty(pacs: Orthanc) -> Iterator[Orthanc]:
    """The archive without any study, before and after: ours differ in little more than their names."""
    yield pacs
    for study in pacs.json("/studies"):
        request = urllib.request.Request(f"{pacs.url}/studies/{study}", method="DELETE")
        urllib.request.urlopen(request, timeout=30).close()


def made_of(name: str, folder: Path) -> Made:
    for part in ("in", "out"):
        (folder / part).mkdir()
    return make(SOURCES[name].write(folder / "in"), folder / "out")


def sent(pacs: Orthanc, made: Made) -> None:
    ran = storescu([made.source_file, *made.files], pacs.dicom_port, pacs.ae_title, NODE, options=["-R"])
    assert ran.statuses == ["Success"] * (1 + len(made.files)), ran.output


@pytest.mark.parametrize("charset", NAMES)
def test_a_name_is_the_same_on_source_and_results(empty: Orthanc, tmp_path: Path, charset: str) -> None:
    made = made_of(charset, tmp_path)
    sent(empty, made)
    stored = [empty.json(f"/instances/{one}/simplified-tags") for one in empty.instances()]
    assert len(stored) == 1 + len(made.files)
    assert {one["PatientName"] for one in stored} == {NAMES[charset]}
    assert {one["StudyDescription"] for one in stored} == {text_of(made.source, "StudyDescription")}


def test_results_are_found_and_handed_out_as_they_were_sent(empty: Orthanc, tmp_path: Path) -> None:
    made = made_of("layout ge", tmp_path)
    sent(empty, made)
    kinds = {text_of(header, "SOPInstanceUID"): header for header in map(dcmread, made.files)}
    taken: dict[str, Dataset] = {}

    def take(event: evt.Event) -> int:
        taken[str(event.request.AffectedSOPInstanceUID)] = event.dataset
        return 0x0000

    ae = AE(NODE)
    ae.add_requested_context(StudyRootQueryRetrieveInformationModelFind)
    ae.add_requested_context(StudyRootQueryRetrieveInformationModelGet)
    classes = sorted({str(one.SOPClassUID) for one in kinds.values()})
    for sop_class in classes:
        ae.add_requested_context(sop_class, "1.2.840.10008.1.2.1")
    opened = ae.associate(
        "127.0.0.1",
        empty.dicom_port,
        ae_title=empty.ae_title,
        ext_neg=[build_role(sop_class, scp_role=True) for sop_class in classes],
        evt_handlers=[(evt.EVT_C_STORE, take)],
    )
    assert opened.is_established
    question = Dataset()
    question.QueryRetrieveLevel, question.StudyInstanceUID = "SERIES", made.study.uid
    question.Modality, question.SeriesInstanceUID, question.SeriesDescription = "", "", ""
    answers = opened.send_c_find(question, StudyRootQueryRetrieveInformationModelFind)
    found = [one for status, one in answers if status.Status == 0xFF00 and one.Modality != "MR"]
    for series in found:
        assert "RESEARCH" in series.SeriesDescription
        del series.Modality, series.SeriesDescription
        series.QueryRetrieveLevel = "SERIES"
        statuses = list(opened.send_c_get(series, StudyRootQueryRetrieveInformationModelGet))
        assert statuses[-1][0].Status == 0x0000
    opened.release()
    assert taken == kinds


def test_the_archive_commits_itself_to_results_and_to_nothing_it_does_not_have(
    empty: Orthanc, tmp_path: Path
) -> None:
    made = made_of("layout ge", tmp_path)
    sent(empty, made)
    held = [(str(one.SOPClassUID), str(one.SOPInstanceUID)) for one in made.headers]
    assert _committed(empty, held) == (1, sorted(held), [])
    missing = (held[0][0], stable_uid("never sent"))
    assert _committed(empty, [held[0], missing]) == (2, [held[0]], [(*missing, 0x0112)])


def _committed(pacs: Orthanc, objects: list[tuple[str, str]]) -> tuple[int, list[Any], list[Any]]:
    """Event type, and what the archive answers for and what it does not (PS3.4 J.3)."""
    reports: queue.Queue[tuple[int, Dataset]] = queue.Queue()

    def hear(event: evt.Event) -> tuple[int, None]:
        reports.put((int(event.event_type), event.event_information))
        return 0x0000, None

    listener = AE(NODE)
    listener.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
    port = pacs.json("/modalities?expand")[NODE]["Port"]
    server = listener.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, hear)]
    )
    asking = AE(NODE)
    asking.add_requested_context(StorageCommitmentPushModel)
    opened = asking.associate("127.0.0.1", pacs.dicom_port, ae_title=pacs.ae_title)
    status, _ = opened.send_n_action(
        _request(objects), 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
    )
    assert status.Status == 0x0000
    kind, said = reports.get(timeout=WAIT_S)
    opened.release()
    server.shutdown()
    held = [_cited(item) for item in said.get("ReferencedSOPSequence", ())]
    failed = [(*_cited(item), int(item.FailureReason)) for item in said.get("FailedSOPSequence", ())]
    return kind, sorted(held), sorted(failed)


def _request(objects: list[tuple[str, str]]) -> Dataset:
    request = Dataset()
    request.TransactionUID = stable_uid("transaction", *(uid for _, uid in objects))
    request.ReferencedSOPSequence = [Dataset() for _ in objects]
    for item, (sop_class, instance) in zip(request.ReferencedSOPSequence, objects, strict=True):
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, instance
    return request


def _cited(item: Dataset) -> tuple[str, str]:
    return str(item.ReferencedSOPClassUID), str(item.ReferencedSOPInstanceUID)


def test_other_content_under_the_same_uid_is_lost_which_is_why_ours_change(
    empty: Orthanc, tmp_path: Path
) -> None:
    made = made_of("layout ge", tmp_path)
    sent(empty, made)
    other = dcmread(made.report_file)
    other.SeriesDescription = "other content"
    other.save_as(tmp_path / "other.dcm")
    ran = storescu([tmp_path / "other.dcm"], empty.dicom_port, empty.ae_title, NODE, options=["-R"])
    assert ran.statuses == ["Success"]
    assert len(empty.instances()) == 1 + len(made.files)
    reports = {str(one.SOPInstanceUID): one for one in empty.datasets("SR")}
    assert reports[str(other.SOPInstanceUID)] == dcmread(made.report_file)


def test_a_report_is_taken_by_stow_rs(empty: Orthanc, tmp_path: Path) -> None:
    made = made_of("layout ge", tmp_path)
    body = (
        b"--part\r\nContent-Type: application/dicom\r\n\r\n" + made.report_file.read_bytes() + b"\r\n--part--"
    )
    request = urllib.request.Request(
        f"{empty.url}/dicom-web/studies",
        body,
        {
            "Content-Type": 'multipart/related; type="application/dicom"; boundary=part',
            "Accept": "application/dicom+json",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
        said = Dataset.from_json(answer.read().decode())
    (stored,) = said.ReferencedSOPSequence
    assert stored.ReferencedSOPInstanceUID == made.report.SOPInstanceUID
    assert empty.datasets("SR") == [dcmread(made.report_file)]
