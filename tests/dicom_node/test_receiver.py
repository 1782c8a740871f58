"""The receiver as scanners meet it: real senders, honest answers, and nobody who can bring it down."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import UID, ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit, JPEGLSLossless
from pynetdicom import AE, _config, build_context

from dicom_node.archive.note import read_note
from dicom_node.receiver.pace import Paces
from dicom_node.receiver.settings import Caller
from tests.dicom_node.receiving import (
    MR_IMAGE,
    SECONDARY_CAPTURE,
    Receiver,
    Sent,
    association,
    data_set_of,
    element,
    receiver,
    send,
    store,
)
from tests.dicom_node.test_receiver_header import nested
from tests.peers.dcmtk import echoscu, storescu
from tests.peers.presence import program

SUCCESS, OUT_OF_RESOURCES, DOES_NOT_MATCH, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xA900, 0xC000
WAIT_S = 30.0


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """One receiver for all the tests that leave it as they found it."""
    with receiver(tmp_path_factory.mktemp("node") / "archive", max_object_mb=2, idle_timeout_s=20) as running:
        yield running


@pytest.fixture(autouse=True)
def _any_uid_can_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_config.VALIDATORS, "UI", lambda value: (True, ""))


@pytest.mark.peers("echoscu")
def test_it_answers_an_echo(node: Receiver) -> None:
    assert echoscu(node.port, "DICOMNODE").code == 0


@pytest.mark.data
@pytest.mark.peers("storescu")
def test_a_real_study_lies_in_the_archive_once_storescu_has_its_answers(
    node: Receiver, sunnybrook: Callable[[str], list[Path]]
) -> None:
    files = sunnybrook("SC-HF-I-1")[:40]
    ran = storescu(files, node.port, "DICOMNODE", calling="MR 1")
    assert ran.statuses == ["Success"] * 40, ran.output
    closed = node.event("closed", calling="MR 1")
    assert (closed["how"], closed["stored"], closed["refused"]) == ("released", 40, 0)
    (study,) = closed["studies"]
    assert "99.0" in study  # a component with a leading zero, verbatim
    kept = node.kept(study)
    assert len(kept) == 40
    assert all(study.encode() in body for body in kept)


def test_the_bytes_are_kept_as_they_were_sent(node: Receiver, tmp_path: Path) -> None:
    odd = element(0x0009, 0x0010, b"SH", b"a private creator of the wrong VR")
    sent = Sent(study="1.2.30", extra=odd, pixels=os.urandom(300_000))
    assert send(node.port, sent, tmp_path, calling="VERBATIM").Status == SUCCESS
    assert node.kept("1.2.30") == [sent.dataset]
    stored = node.event("stored", study="1.2.30")
    assert stored["new"]
    assert sent.digest[:16] in stored["path"]


@pytest.mark.parametrize("uid", ["1.02.0031", "1.2." + "3" * 80, "../../stray", "not a uid"])
def test_uids_that_break_the_rules_are_kept_verbatim(node: Receiver, tmp_path: Path, uid: str) -> None:
    sent = Sent(study=f"{uid}.9", instance=uid)
    assert send(node.port, sent, tmp_path).Status == SUCCESS
    assert node.kept(f"{uid}.9") == [sent.dataset]
    assert not list(tmp_path.parent.rglob("stray*"))


def test_the_same_object_again_is_a_success_and_nothing_new(node: Receiver, tmp_path: Path) -> None:
    sent = Sent(study="1.2.32")
    with association(node.port, sent) as opened:
        assert [store(opened, sent, tmp_path).Status for _ in range(2)] == [SUCCESS, SUCCESS]
    assert node.event("stored", study="1.2.32")["new"]
    next_told = [node.process.events.get(timeout=WAIT_S) for _ in range(2)]
    assert [(told["event"], told.get("new")) for told in next_told] == [("stored", False), ("closed", None)]
    assert node.kept("1.2.32") == [sent.dataset]


def test_other_bytes_under_the_same_uid_are_kept_too(node: Receiver, tmp_path: Path) -> None:
    first, second = Sent(study="1.2.33"), Sent(study="1.2.33", pixels=bytes(66))
    for sent in (first, second):
        assert send(node.port, sent, tmp_path).Status == SUCCESS
    assert node.kept("1.2.33") == sorted((first.dataset, second.dataset))


BROKEN = {
    "garbage": (Sent(body=bytes(range(256)) * 20), CANNOT_UNDERSTAND, ""),
    "nothing": (Sent(body=b""), CANNOT_UNDERSTAND, "no Study Instance UID"),
    "cut short": (Sent(body=Sent().dataset[:-10]), CANNOT_UNDERSTAND, "cut short"),
    "nested": (Sent(extra=nested(20_000)), CANNOT_UNDERSTAND, "nested too deeply"),
    "no study": (Sent(study=""), CANNOT_UNDERSTAND, "no Study Instance UID"),
    "another class": (
        Sent(sop_class=SECONDARY_CAPTURE).saying(sop_class=MR_IMAGE),
        DOES_NOT_MATCH,
        "it is Secondary Capture Image Storage",
    ),
    "another instance": (Sent(instance="1.2.5").saying(instance="1.2.6"), DOES_NOT_MATCH, "SOP Instance UID"),
    "too large": (
        Sent(pixels=bytes(3_000_000)),
        OUT_OF_RESOURCES,
        "larger than 2 MB (receive.max_object_mb)",
    ),
    "not compressed as said": (Sent(syntax=JPEGLSLossless, body=b"\xff\xd8" * 99), CANNOT_UNDERSTAND, ""),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_object_is_refused_with_its_reason_and_the_next_one_taken(
    node: Receiver, tmp_path: Path, case: str
) -> None:
    broken, status, reason = BROKEN[case]
    whole = Sent(instance="1.2.3.5")
    with association(node.port, broken, whole) as opened:
        answer = store(opened, broken, tmp_path)
        assert answer.Status == status
        assert 0 < len(answer.ErrorComment) <= 64
        assert reason in answer.ErrorComment
        assert store(opened, whole, tmp_path).Status == SUCCESS
    refused = node.event("refused", status=f"{status:04X}")
    assert reason in refused["reason"]


def test_a_hundred_thousand_characters_in_a_field_are_kept(node: Receiver, tmp_path: Path) -> None:
    long = Sent(study="1.2.34", extra=element(0x0008, 0x103E, b"UT", b"X" * 100_000))
    assert send(node.port, long, tmp_path).Status == SUCCESS
    assert node.kept("1.2.34") == [long.dataset]


OURS = element(0x0008, 0x1090, b"LO", b"dicom-node")


@pytest.mark.parametrize(
    ("study", "sop_class", "extra", "reason"),
    [
        ("1.2.35", SECONDARY_CAPTURE, b"", "Secondary Capture Image Storage is not analysed"),
        ("1.2.36", MR_IMAGE, OURS, "a result of our own"),
        ("1.2.37", "1.2.840.10008.5.1.4.1.1.88.34", OURS, "a result of our own"),
    ],
)
def test_what_is_not_analysed_is_answered_with_success_and_noted(
    node: Receiver, tmp_path: Path, study: str, sop_class: str, extra: bytes, reason: str
) -> None:
    assert send(node.port, Sent(study, sop_class=sop_class, extra=extra), tmp_path).Status == SUCCESS
    assert node.event("stored", study=study)["discarded"]
    (path,) = node.archive.study_paths(study)
    note = read_note(node.archive.open(path))
    assert reason in note.reason
    assert (note.study_instance_uid, note.sop_class_uid) == (study, sop_class)


def test_two_associations_are_served_at_once(node: Receiver, tmp_path: Path) -> None:
    one, two = Sent(study="1.2.38", instance="1.1"), Sent(study="1.2.38", instance="1.2")
    with (
        association(node.port, one, calling="ONE") as first,
        association(node.port, two, calling="TWO") as second,
    ):
        assert store(second, two, tmp_path).Status == SUCCESS
        assert store(first, one, tmp_path).Status == SUCCESS
    assert len(node.kept("1.2.38")) == 2


ENCODERS = {
    "1.2.840.10008.1.2.1": ("dcmconv", "+te"),
    "1.2.840.10008.1.2.1.99": ("dcmconv", "+td"),
    "1.2.840.10008.1.2.4.70": ("dcmcjpeg", "+e1"),
    "1.2.840.10008.1.2.4.57": ("dcmcjpeg", "+el"),
    "1.2.840.10008.1.2.4.80": ("dcmcjpls", "+el"),
    "1.2.840.10008.1.2.4.50": ("dcmcjpeg", "+eb", "+un"),
    "1.2.840.10008.1.2.4.90": ("gdcmconv", "--j2k"),
    "1.2.840.10008.1.2.5": ("dcmcrle",),
}


@pytest.mark.data
@pytest.mark.peers("dcmconv", "dcmcjpeg", "dcmcjpls", "dcmcrle", "gdcmconv", "dcmsend")
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_dcmsend_is_heard_in_eight_transfer_syntaxes(
    node: Receiver, tmp_path: Path, sunnybrook: Callable[[str], list[Path]]
) -> None:
    source = sunnybrook("SC-HF-I-4")[0]
    for syntax, (tool, *options) in ENCODERS.items():
        encoded = tmp_path / f"{syntax}.dcm"
        subprocess.run([program(tool), *options, source, encoded], check=True, capture_output=True)
    sender = [program("dcmsend"), "-v", "--decompress-never", "--no-uid-checks", "-aec", "DICOMNODE"]
    files = sorted(tmp_path.glob("*.dcm"))
    ran = subprocess.run(
        [*sender, "127.0.0.1", str(node.port), *files], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    study = str(pydicom.dcmread(source, stop_before_pixels=True).StudyInstanceUID)
    kept = [pydicom.dcmread(node.archive.open(path)) for path in node.archive.study_paths(study)]
    assert sorted(item.file_meta.TransferSyntaxUID for item in kept) == sorted(ENCODERS)
    raw = pydicom.dcmread(source).pixel_array
    exact = [item for item in kept if item.file_meta.TransferSyntaxUID != JPEGBaseline8Bit]
    assert len(exact) == len(ENCODERS) - 1
    assert all((item.pixel_array == raw).all() for item in exact)


@pytest.mark.data
@pytest.mark.peers("dcmconv")
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.parametrize(
    ("option", "syntax"), [("+ti", ImplicitVRLittleEndian), ("+tb", ExplicitVRBigEndian)]
)
def test_old_senders_are_heard_in_the_only_syntax_they_have(
    node: Receiver, tmp_path: Path, sunnybrook: Callable[[str], list[Path]], option: str, syntax: UID
) -> None:
    source, encoded = sunnybrook("SC-HF-I-4")[1], tmp_path / "encoded.dcm"
    subprocess.run([program("dcmconv"), option, source, encoded], check=True)
    sent = Sent(
        str(pydicom.dcmread(source).StudyInstanceUID),
        str(pydicom.dcmread(source).SOPInstanceUID),
        syntax=syntax,
        body=data_set_of(encoded),
    )
    assert send(node.port, sent, tmp_path).Status == SUCCESS
    assert sent.dataset in node.kept(sent.study)


def test_a_wrong_called_ae_title_is_rejected(node: Receiver) -> None:
    ran = echoscu(node.port, "SOMEBODY")
    assert ran.code != 0
    assert "Called AE Title Not Recognized" in ran.output
    assert node.event("refused")["reason"] == "it called 'SOMEBODY', we are 'DICOMNODE'"


def test_a_caller_who_is_not_listed_is_rejected(tmp_path: Path) -> None:
    callers = [
        {"ae_title": "MR 1", "ip": "127.0.0.1"},
        {"ae_title": "MR 2", "ip": "192.0.2.1"},
        {"ae_title": "MR 3"},
    ]
    with receiver(tmp_path / "archive", callers=callers) as node:
        assert echoscu(node.port, "DICOMNODE", calling="MR 1").code == 0
        assert echoscu(node.port, "DICOMNODE", calling="MR 3").code == 0
        for stranger in ("MR 2", "MR 4"):
            assert (
                "Calling AE Title Not Recognized" in echoscu(node.port, "DICOMNODE", calling=stranger).output
            )
            assert (
                node.event("refused")["reason"] == f"'{stranger}' at 127.0.0.1 is not among receive.callers"
            )


def test_a_caller_is_held_to_its_own_limits(tmp_path: Path) -> None:
    callers = [{"ae_title": "SMALL", "max_associations": 1, "max_object_mb": 1}, {"ae_title": "LARGE"}]
    large = Sent(pixels=bytes(1_500_000))
    with receiver(tmp_path / "archive", callers=callers) as node:
        with association(node.port, large, calling="SMALL") as opened:
            answer = store(opened, large, tmp_path)
            assert answer.Status == OUT_OF_RESOURCES
            assert answer.ErrorComment == "larger than 1 MB (max_object_mb of this caller)"
            assert store(opened, Sent(), tmp_path).Status == SUCCESS
            second = AE("SMALL").associate("127.0.0.1", node.port, [build_context(MR_IMAGE)], "DICOMNODE")
            assert second.is_rejected
            assert second.acceptor.primitive.result == 2, "to be tried again"
            assert send(node.port, large, tmp_path, calling="LARGE").Status == SUCCESS
        node.event("closed", calling="SMALL")
        assert send(node.port, Sent(instance="1.9"), tmp_path, calling="SMALL").Status == SUCCESS


def test_a_caller_that_sends_too_fast_is_slowed_down_and_nobody_else_is() -> None:
    slow, free = Caller("SLOW", max_objects_per_s=20.0), Caller("FREE")
    paces = Paces()
    started = time.monotonic()
    for _ in range(5):
        paces.wait(slow)
        for _ in range(1000):
            paces.wait(free)
    assert time.monotonic() - started >= 4 / 20.0
    paces.stop()
    paces.wait(Caller("SLOW", max_objects_per_s=1e-9))
    paces.wait(Caller("SLOW", max_objects_per_s=1e-9))


def test_others_are_served_while_somebody_is_slowed_down(tmp_path: Path) -> None:
    slow, free = Sent(study="1.2.60", instance="1.2.60.1"), Sent(study="1.2.61", instance="1.2.61.1")
    rare = {"ae_title": "SLOW", "max_objects_per_s": 1 / 600}
    with receiver(tmp_path / "archive", callers=(rare, {"ae_title": "FREE"})) as node:
        assert send(node.port, slow, tmp_path, calling="SLOW").Status == SUCCESS
        with association(node.port, slow, calling="SLOW") as opened:
            waiting = threading.Thread(target=store, args=(opened, slow, tmp_path), daemon=True)
            waiting.start()
            for _ in range(20):
                assert send(node.port, free, tmp_path, calling="FREE").Status == SUCCESS
            assert waiting.is_alive(), "it was not slowed down"
            node.process.stop()
            waiting.join(WAIT_S)


def test_one_association_too_many_is_rejected_for_now(tmp_path: Path) -> None:
    with receiver(tmp_path / "archive", max_associations=1) as node:
        with association(node.port, Sent()):
            assert "Local Limit Exceeded" in echoscu(node.port, "DICOMNODE").output
        assert node.event("refused")["reason"] == "1 associations are open already"
        assert node.event("closed")["how"] == "released"


def test_any_title_will_do_where_it_is_not_required(tmp_path: Path) -> None:
    with receiver(tmp_path / "archive", require_called_ae=False) as node:
        assert echoscu(node.port, "WHATEVER").code == 0


def test_classes_we_do_not_analyse_can_be_left_out_of_the_negotiation(tmp_path: Path) -> None:
    with receiver(tmp_path / "archive", other_objects="reject") as node:
        opened = AE("SENDER").associate(
            "127.0.0.1", node.port, [build_context(SECONDARY_CAPTURE)], ae_title="DICOMNODE"
        )
        assert [context.result for context in opened.rejected_contexts] == [0x03]
        assert not opened.is_established
