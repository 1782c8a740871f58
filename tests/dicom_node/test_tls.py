"""TLS both ways, with DCMTK at the other end."""

import contextlib
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from dicom_node.config import Settings
from dicom_node.config_sections import Destination, TlsSettings
from dicom_node.delivery.destination import Pacs
from dicom_node.errors import DestinationUnreachable, ReceiverFailed, TlsError
from dicom_node.operate.certificates import certificate_findings
from dicom_node.operate.finding import Finding, Level
from dicom_node.tls import FreshContext, TlsFiles, client_context, server_context
from tests.dicom_node.certificates import Authority, Identity
from tests.dicom_node.receiving import Receiver, receiver
from tests.peers import Ran, echoscu, free_port, until
from tests.peers.presence import program

TITLE = "DICOMNODE"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture(scope="module")
def ours(authority: Authority) -> Identity:
    return authority.identity("node")


@pytest.fixture(scope="module")
def theirs(authority: Authority) -> Identity:
    return authority.identity("scanner")


@pytest.fixture(scope="module")
def settings(authority: Authority, ours: Identity) -> TlsSettings:
    return TlsSettings(certificate=ours.certificate, key=ours.key, authorities=authority.certificate)


@pytest.fixture(scope="module")
def mutual(settings: TlsSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver(tmp_path_factory.mktemp("archive"), settings, tls="mutual", max_associations=4) as node:
        yield node


def _echo(node: Receiver, authority: Authority, identity: Identity | None, *more: str) -> Ran:
    mine = ["+tls", str(identity.key), str(identity.certificate)] if identity else ["+tla"]
    return echoscu(node.port, TITLE, options=[*mine, "+cf", str(authority.certificate), *more])


def _handshake(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", port), 10.0)
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


@pytest.mark.peers
def test_a_sender_with_a_certificate_is_served(
    mutual: Receiver, authority: Authority, theirs: Identity
) -> None:
    answered = _echo(mutual, authority, theirs)
    assert (answered.code, "Received Echo Response (Success)" in answered.output) == (0, True), (
        answered.output
    )


@pytest.mark.peers
def test_a_sender_without_a_certificate_is_not(mutual: Receiver, authority: Authority) -> None:
    assert _echo(mutual, authority, None, "-ic").code != 0
    assert "tls" in mutual.event("refused")["reason"].lower()


@pytest.mark.peers
def test_a_sender_that_another_authority_signed_for_is_not(
    mutual: Receiver, authority: Authority, folder: Path
) -> None:
    stranger = Authority(folder, "elsewhere").identity("stranger")
    assert _echo(mutual, authority, stranger).code != 0
    assert "certificate" in mutual.event("refused")["reason"]


@pytest.mark.peers
def test_a_sender_without_tls_is_not(mutual: Receiver) -> None:
    assert echoscu(mutual.port, TITLE).code != 0
    assert mutual.event("refused")["address"] == "127.0.0.1"


def test_tls_1_1_is_refused_and_1_3_is_spoken_where_both_can(
    mutual: Receiver, authority: Authority, theirs: Identity
) -> None:
    context = client_context(TlsFiles(theirs.certificate, theirs.key, authority.certificate))
    with _handshake(mutual.port, context) as opened:
        assert opened.version() == "TLSv1.3"
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with _handshake(mutual.port, context) as opened:
        cipher = opened.cipher()
        assert cipher is not None
        assert cipher[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(authority.certificate)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        _handshake(mutual.port, old)


def test_a_suite_without_forward_secrecy_is_refused(
    mutual: Receiver, authority: Authority, theirs: Identity
) -> None:
    context = client_context(TlsFiles(theirs.certificate, theirs.key, authority.certificate))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA")
    with pytest.raises(ssl.SSLError):
        _handshake(mutual.port, context)


@pytest.mark.peers
def test_peers_that_connect_and_say_nothing_hold_up_nobody(
    mutual: Receiver, authority: Authority, theirs: Identity
) -> None:
    with contextlib.ExitStack() as silent:
        for _ in range(8):
            silent.enter_context(socket.create_connection(("127.0.0.1", mutual.port), 10.0))
        assert _echo(mutual, authority, theirs).code == 0


@pytest.mark.peers
def test_a_replaced_certificate_counts_from_the_next_connection_and_a_broken_one_changes_nothing(
    tmp_path: Path, authority: Authority
) -> None:
    first = authority.identity("replaced", days=10)
    files = TlsSettings(certificate=first.certificate, key=first.key, authorities=authority.certificate)
    trusting = client_context(TlsFiles(authorities=authority.certificate))
    with receiver(tmp_path / "archive", files, tls="server") as node:
        with _handshake(node.port, trusting) as opened:
            before = opened.getpeercert(binary_form=True)
        authority.identity("replaced", days=20)
        with _handshake(node.port, trusting) as opened:
            after = opened.getpeercert(binary_form=True)
        assert before != after
        first.certificate.write_text("not a certificate")
        with _handshake(node.port, trusting) as opened:
            assert opened.getpeercert(binary_form=True) == after
        assert "stay in use" in node.event("log")["message"]


def test_a_receiver_with_unusable_certificates_does_not_start(tmp_path: Path, settings: TlsSettings) -> None:
    broken = settings.model_copy(update={"key": tmp_path / "absent.key"})
    with pytest.raises(ReceiverFailed, match=r"absent\.key"), receiver(tmp_path, broken, tls="server"):
        pass


@contextlib.contextmanager
def _storescp(folder: Path, identity: Identity, authority: Authority) -> Iterator[int]:
    """DCMTK's storage SCP, which asks for a certificate; its port."""
    port = free_port()
    command = [program("storescp"), "+tls", str(identity.key), str(identity.certificate)]
    command += ["+cf", str(authority.certificate), "-rc", "-aet", "PACS", "-od", str(folder), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _listens(port), "storescp listens")
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False


def _pacs(port: int, files: TlsFiles, **changes: object) -> Pacs:
    values = {"name": "pacs", "host": "127.0.0.1", "port": port, "ae_title": "PACS", "tls": True}
    return Pacs(Destination.model_validate(values | changes), TITLE, 10.0, files)


@pytest.mark.peers
def test_a_destination_is_reached_over_tls_and_must_prove_its_name(
    tmp_path: Path, authority: Authority, ours: Identity, theirs: Identity, folder: Path
) -> None:
    files = TlsFiles(ours.certificate, ours.key, authority.certificate)
    with _storescp(tmp_path, theirs, authority) as port:
        assert _pacs(port, files).echo().alive
        plain = _pacs(port, files, tls=False).echo()
        misnamed = _pacs(port, files, tls_name="pacs.example.org").echo()
        doubted = _pacs(port, TlsFiles(authorities=Authority(folder, "other").certificate)).echo()
    assert not plain.alive
    assert not misnamed.alive
    assert "not believed" in misnamed.sentence
    assert "pacs.example.org" in misnamed.sentence
    assert "not believed" in doubted.sentence


def test_a_destination_with_unusable_certificates_says_which(tmp_path: Path) -> None:
    with pytest.raises(DestinationUnreachable, match=r"gone\.pem"):
        _pacs(free_port(), TlsFiles(authorities=tmp_path / "gone.pem")).send([])


def test_a_key_with_a_passphrase_is_named_as_the_reason(tmp_path: Path, ours: Identity) -> None:
    key = serialization.load_pem_private_key(ours.key.read_bytes(), None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(TlsError, match="without a passphrase"):
        server_context(TlsFiles(ours.certificate, locked), mutual=False)


def test_a_context_complains_once_per_change(tmp_path: Path, ours: Identity) -> None:
    copies = Identity(tmp_path / "c.pem", tmp_path / "k.pem")
    shutil.copy(ours.certificate, copies.certificate)
    shutil.copy(ours.key, copies.key)
    complaints: list[str] = []
    fresh = FreshContext(
        TlsFiles(copies.certificate, copies.key),
        lambda files: server_context(files, mutual=False),
        complaints.append,
    )
    first = fresh.get()
    copies.key.write_text("nonsense")
    assert [fresh.get() is first for _ in range(3)] == [True] * 3
    assert len(complaints) == 1


def _findings(identity: Identity, authority: Authority) -> list[Finding]:
    tls = TlsSettings(certificate=identity.certificate, key=identity.key, authorities=authority.certificate)
    settings = Settings.model_validate({"tls": tls.model_dump(), "receive": {"tls": "mutual"}})
    return list(certificate_findings(settings, datetime.now(UTC)))


@pytest.mark.parametrize(
    ("days", "level", "words"),
    [(90, Level.FINE, "valid until"), (10, Level.WARNING, "9 days"), (-1, Level.PROBLEM, "ended on")],
)
def test_the_doctor_warns_before_a_certificate_ends(
    authority: Authority, days: int, level: Level, words: str
) -> None:
    about_ours, about_authority = _findings(authority.identity("ending", days), authority)
    assert about_ours.level is level
    assert words in about_ours.found
    assert about_authority.level is Level.FINE


def test_the_doctor_notices_a_key_that_others_can_read(authority: Authority) -> None:
    open_ = authority.identity("open")
    open_.key.chmod(0o644)
    assert _findings(open_, authority)[-1].advice == f"chmod 600 {open_.key}"


@pytest.mark.parametrize(
    "values",
    [
        {"receive": {"tls": "server"}},
        {"receive": {"tls": "mutual"}, "tls": {"certificate": "c.pem", "key": "k.pem"}},
        {"destinations": [{"name": "p", "host": "h", "port": 1, "ae_title": "P", "tls": True}]},
    ],
)
def test_tls_without_its_files_is_refused_at_the_start(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"needs tls\."):
        Settings.model_validate(values)
