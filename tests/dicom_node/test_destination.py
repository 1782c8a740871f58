"""Sending results to real storage SCPs: pynetdicom's, DCMTK's and Orthanc."""

import socket
import subprocess
import threading
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import BasicTextSRStorage, ImplicitVRLittleEndian, SecondaryCaptureImageStorage
from pynetdicom import evt

from dicom_node import config_sections
from dicom_node.delivery.destination import Pacs
from dicom_node.delivery.dimse_status import Verdict, verdict_on
from dicom_node.delivery.storage_scu import ResultObject
from dicom_node.errors import DestinationRefused, DestinationUnreachable
from reports import SR_CLASSES, as_sr_class
from tests.dicom_node.storage_scp import storage_scp, write_object
from tests.peers.orthanc import Orthanc
from tests.peers.presence import free_port, program, until

COMPREHENSIVE_3D, COMPREHENSIVE, ENHANCED = (str(uid) for uid in SR_CLASSES)
BASIC_TEXT = str(BasicTextSRStorage)
SC = str(SecondaryCaptureImageStorage)


@pytest.fixture
def objects(tmp_path: Path) -> list[ResultObject]:
    """One study's results: an SR and two secondary captures."""
    return [
        write_object(tmp_path, sop_class, number)
        for number, sop_class in enumerate((COMPREHENSIVE_3D, SC, SC), start=1)
    ]


def test_a_studys_objects_go_out_unchanged_on_one_association(objects: list[ResultObject]) -> None:
    with storage_scp() as scp:
        outcomes = scp.pacs().send(objects)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.SENT] * 3
    assert [outcome.status for outcome in outcomes] == [0x0000] * 3
    assert [outcome.sent_sop_instance_uid for outcome in outcomes] == ["2.25.1", "2.25.2", "2.25.3"]
    assert scp.associations == 1
    assert scp.taken == [dcmread(item.path) for item in objects]


def test_only_the_classes_that_are_sent_are_proposed(objects: list[ResultObject]) -> None:
    with storage_scp() as scp:
        scp.pacs().send(objects[1:])
        scp.pacs().send(objects)
    assert scp.proposed == [{SC}, {COMPREHENSIVE_3D, COMPREHENSIVE, ENHANCED, SC}]


def test_a_destination_that_knows_only_implicit_vr_gets_implicit_vr(objects: list[ResultObject]) -> None:
    with storage_scp(syntaxes=(ImplicitVRLittleEndian,)) as scp:
        outcomes = scp.pacs().send(objects)
    assert {outcome.verdict for outcome in outcomes} == {Verdict.SENT}
    assert {dataset.file_meta.TransferSyntaxUID for dataset in scp.taken} == {ImplicitVRLittleEndian}
    assert scp.taken[0].PatientName == "Doe^Jane"


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ((COMPREHENSIVE_3D, COMPREHENSIVE, ENHANCED), COMPREHENSIVE_3D),
        ((COMPREHENSIVE, ENHANCED), COMPREHENSIVE),
        ((ENHANCED,), ENHANCED),
    ],
)
def test_the_richest_sr_class_that_is_accepted_is_sent(
    objects: list[ResultObject], accepted: tuple[str, ...], sent: str
) -> None:
    with storage_scp(classes=(*accepted, SC)) as scp:
        outcomes = scp.pacs().send(objects)
    expected = as_sr_class(dcmread(objects[0].path), sent)
    assert scp.taken[0] == expected
    assert outcomes[0].sent_sop_class_uid == sent
    assert outcomes[0].sent_sop_instance_uid == expected.SOPInstanceUID
    assert [outcome.verdict for outcome in outcomes] == [Verdict.SENT] * 3


@pytest.mark.parametrize("accepted", [BASIC_TEXT, ENHANCED, COMPREHENSIVE_3D])
def test_text_goes_out_as_the_plainest_class_that_is_accepted(tmp_path: Path, accepted: str) -> None:
    text = write_object(tmp_path, BASIC_TEXT, 1)
    with storage_scp(classes=(accepted, COMPREHENSIVE_3D)) as scp:
        outcome = scp.pacs().send([text])[0]
    assert (outcome.verdict, outcome.sent_sop_class_uid) == (Verdict.SENT, accepted)
    assert scp.taken == [as_sr_class(dcmread(text.path), accepted)]


def test_a_destination_without_any_sr_class_still_gets_the_pictures(objects: list[ResultObject]) -> None:
    with storage_scp(classes=(SC,)) as scp:
        outcomes = scp.pacs().send(objects)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.REFUSED, Verdict.SENT, Verdict.SENT]
    assert outcomes[0].comment == (
        "pacs does not accept Comprehensive 3D SR Storage, Comprehensive SR Storage, Enhanced SR Storage"
    )
    assert outcomes[0].sent_sop_instance_uid == ""


def test_a_destination_that_accepts_no_class_of_ours_refuses_every_object(
    objects: list[ResultObject],
) -> None:
    with storage_scp(classes=("1.2.840.10008.5.1.4.1.1.2",)) as scp:
        outcomes = scp.pacs().send(objects)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.REFUSED] * 3
    assert outcomes[1].comment == "pacs does not accept Secondary Capture Image Storage"


@pytest.mark.parametrize("status", [0xB000, 0xB006, 0xB007])
def test_a_warning_is_kept_and_the_object_counts_as_stored(objects: list[ResultObject], status: int) -> None:
    with storage_scp(answer=lambda event: status) as scp:
        outcome = scp.pacs().send(objects[:1])[0]
    assert (outcome.verdict, outcome.status) == (Verdict.WARNING, status)
    assert outcome.comment == f"pacs: {verdict_on(status)[1]} ({status:04X}H)"


def test_the_destinations_error_comment_is_passed_on(objects: list[ResultObject]) -> None:
    def full(event: evt.Event) -> Dataset:
        answer = Dataset()
        answer.Status = 0xA700
        answer.ErrorComment = "volume 3 is full"
        return answer

    with storage_scp(answer=full) as scp:
        outcome = scp.pacs().send(objects[:1])[0]
    assert (outcome.verdict, outcome.status) == (Verdict.LATER, 0xA700)
    assert outcome.comment == "pacs: it is out of resources (A700H), saying: volume 3 is full"


def test_one_refused_object_does_not_stop_the_others(objects: list[ResultObject]) -> None:
    def refuse_the_second(event: evt.Event) -> int:
        return 0xC000 if event.request.AffectedSOPInstanceUID == "2.25.2" else 0x0000

    with storage_scp(answer=refuse_the_second) as scp:
        outcomes = scp.pacs().send(objects)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.SENT, Verdict.DOUBTFUL, Verdict.SENT]


def test_an_abort_between_objects_says_which_were_sent_and_which_not(objects: list[ResultObject]) -> None:
    def abort_the_second(event: evt.Event) -> int:
        if event.dataset.SOPInstanceUID == "2.25.2":
            event.assoc.abort()
        return 0x0000

    with storage_scp(answer=abort_the_second) as scp:
        sent, aborted, unsent = scp.pacs().send(objects)
    assert sent.verdict is Verdict.SENT
    assert (aborted.verdict, aborted.status) == (Verdict.LATER, None)
    assert aborted.sent_sop_instance_uid == "2.25.2"  # it may have arrived
    assert aborted.comment == "pacs did not answer for this object: it aborted the association"
    assert (unsent.verdict, unsent.sent_sop_instance_uid) == (Verdict.LATER, "")
    assert unsent.comment == "the association with pacs ended before this object's turn"


def test_a_destination_that_stays_silent_is_left_after_the_time_out(objects: list[ResultObject]) -> None:
    enough = threading.Event()

    def stall(event: evt.Event) -> int:
        enough.wait(30)
        return 0x0000

    with storage_scp(answer=stall) as scp:
        outcomes = scp.pacs(timeout_s=0.3).send(objects[:2])
        enough.set()
    assert [outcome.verdict for outcome in outcomes] == [Verdict.LATER, Verdict.LATER]
    assert outcomes[0].comment == "pacs did not answer for this object: it was silent for 0.3 s"


def test_a_missing_file_of_ours_is_said_and_the_rest_is_sent(objects: list[ResultObject]) -> None:
    objects[1].path.unlink()
    with storage_scp() as scp:
        outcomes = scp.pacs().send(objects)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.SENT, Verdict.REFUSED, Verdict.SENT]
    assert outcomes[1].comment.startswith("our own file of this object is gone")


def test_a_destination_that_is_down_is_unreachable(objects: list[ResultObject]) -> None:
    settings = config_sections.Destination(name="pacs", host="127.0.0.1", port=free_port(), ae_title="PACS")
    with pytest.raises(DestinationUnreachable, match=f"^pacs: nobody answers at 127.0.0.1:{settings.port}$"):
        Pacs(settings, "DICOMNODE", 5.0).send(objects)


def test_a_host_that_does_not_exist_is_named(objects: list[ResultObject]) -> None:
    settings = config_sections.Destination(
        name="pacs", host="no-such-host.invalid", port=104, ae_title="PACS"
    )
    with pytest.raises(DestinationUnreachable, match=r"no-such-host\.invalid"):
        Pacs(settings, "DICOMNODE", 5.0).send(objects)


def test_a_port_that_does_not_speak_dicom_is_unreachable(objects: list[ResultObject]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings = config_sections.Destination(
            name="pacs", host="127.0.0.1", port=server.getsockname()[1], ae_title="PACS"
        )
        with pytest.raises(DestinationUnreachable, match="took the connection, but opened no DICOM"):
            Pacs(settings, "DICOMNODE", 0.3).send(objects)


def test_a_rejected_association_says_what_to_do(objects: list[ResultObject]) -> None:
    with storage_scp(callers=("SOMEONE",)) as scp:
        with pytest.raises(DestinationRefused, match="does not know our AE title, DICOMNODE; have it added"):
            scp.pacs().send(objects)
        wrong = scp.settings.model_copy(update={"ae_title": "OTHER"})
        with pytest.raises(DestinationRefused, match="it is not called OTHER"):
            Pacs(wrong, "SOMEONE", 5.0).send(objects)


def test_echo_tells_whether_a_destination_is_there() -> None:
    with storage_scp() as scp:
        pacs = scp.pacs()
        assert pacs.echo().alive
        assert pacs.echo().sentence == f"pacs answered as PACS at 127.0.0.1:{scp.port}"
    gone = pacs.echo()
    assert not gone.alive
    assert gone.sentence == f"pacs: nobody answers at 127.0.0.1:{scp.port}"
    with storage_scp(classes=(SC,)) as scp:
        assert scp.pacs().echo().sentence == "pacs accepts our association but not C-ECHO"


@pytest.mark.peers("storescp")
def test_dcmtk_takes_the_class_it_is_configured_for(objects: list[ResultObject], tmp_path: Path) -> None:
    port = free_port()
    profile = tmp_path / "enhanced.cfg"
    profile.write_text(
        "[[TransferSyntaxes]]\n[Plain]\nTransferSyntax1 = LittleEndianExplicit\n"
        "[[PresentationContexts]]\n[Results]\n"
        f"PresentationContext1 = {ENHANCED}\\Plain\nPresentationContext2 = {SC}\\Plain\n"
        "[[Profiles]]\n[Default]\nPresentationContexts = Results\n"
    )
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    command = [program("storescp"), "-od", str(inbox), "-xf", str(profile), "Default", "-v", str(port)]
    settings = config_sections.Destination(name="pacs", host="127.0.0.1", port=port, ae_title="STORESCP")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as scp:
        try:
            until(lambda: _listening(port), "storescp listening")
            outcomes = Pacs(settings, "DICOMNODE", 10.0).send(objects)
        finally:
            scp.terminate()
    assert [outcome.verdict for outcome in outcomes] == [Verdict.SENT] * 3
    stored = {str(dcmread(path).SOPClassUID) for path in inbox.iterdir()}
    assert stored == {ENHANCED, SC}


@pytest.mark.peers("Orthanc")
def test_orthanc_keeps_what_is_sent_twice_once_and_unchanged(
    objects: list[ResultObject], tmp_path: Path
) -> None:
    with Orthanc(tmp_path / "orthanc") as orthanc:
        settings = config_sections.Destination(
            name="orthanc", host="127.0.0.1", port=orthanc.dicom_port, ae_title=Orthanc.ae_title
        )
        pacs = Pacs(settings, "DICOMNODE", 10.0)
        assert pacs.echo().alive
        first, second = pacs.send(objects), pacs.send(objects)
        kept = {str(held.SOPInstanceUID): held for held in map(orthanc.dataset, orthanc.instances())}
    assert {outcome.verdict for outcome in (*first, *second)} == {Verdict.SENT}
    assert kept == {item.sop_instance_uid: dcmread(item.path) for item in objects}


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
