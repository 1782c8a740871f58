"""STOW-RS against services that fail in every way: what becomes of an object."""

import json
import logging
import threading
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest
from pydicom.uid import ComprehensiveSRStorage

from dicom_node.delivery.couriers import deliver_due
from dicom_node.delivery.dimse_status import Verdict
from dicom_node.delivery.storage_scu import ResultObject
from dicom_node.delivery.web.session import Silent
from dicom_node.errors import DestinationError, DestinationRefused, DestinationUnreachable
from dicom_node.jobs import State
from dicom_node.store import Store
from dicom_node.tls import TlsFiles
from tests.dicom_node.certificates import Authority
from tests.dicom_node.delivering import POLICY, SC, SR, Clock, finish_study, job_state, states
from tests.dicom_node.storage_scp import write_object
from tests.dicom_node.web_service import JSON, Answer, Asked, Reply, failed, stored, web_service
from tests.peers.presence import free_port


@pytest.fixture
def objects(tmp_path: Path) -> list[ResultObject]:
    return [write_object(tmp_path, SR, 1), write_object(tmp_path, SC, 2)]


def in_turn(*answers: Answer) -> Answer:
    """The first answer to the first request, and so on; the last one to all that follow."""
    left = list(answers)
    return lambda asked: (left.pop(0) if len(left) > 1 else left[0])(asked)


def says(status: int = 200, body: bytes = b"", kind: str = JSON, **headers: str) -> Answer:
    return lambda asked: Reply(status, body, kind, headers)


def test_each_object_is_a_request_of_its_own_as_a_part_10_file(objects: list[ResultObject]) -> None:
    with web_service(stored) as service:
        outcomes = service.pacs().send(objects)
    assert [(one.verdict, one.status) for one in outcomes] == [(Verdict.SENT, 0)] * 2
    assert [one.sent_sop_instance_uid for one in outcomes] == ["2.25.1", "2.25.2"]
    assert [(one.method, one.path) for one in service.heard] == [("POST", "/dicom-web/studies")] * 2
    for asked, item in zip(service.heard, objects, strict=True):
        assert asked.headers["Content-Type"].startswith('multipart/related; type="application/dicom"')
        assert asked.headers["Host"] == service.url.split("/")[2], "the port belongs to it"
        assert int(asked.headers["Content-Length"]) == len(asked.body)
        assert item.path.read_bytes()[132:].split(b"2.25.")[0][:40] in asked.body
        assert asked.body.count(b"DICM") == 1


@pytest.mark.parametrize(
    ("answer", "verdict", "status", "words"),
    [
        (failed(0xA700), Verdict.LATER, 0xA700, "out of resources (A700H)"),
        (failed(0xA900), Verdict.REFUSED, 0xA900, "does not match its SOP class (A900H)"),
        (failed(0xC000), Verdict.DOUBTFUL, 0xC000, "cannot understand the object (C000H)"),
        (failed(0x0110, 200), Verdict.LATER, 0x0110, "processing failure (0110H)"),
        (failed(0xA700, 202), Verdict.LATER, 0xA700, "out of resources"),
        (failed(None), Verdict.DOUBTFUL, None, "gives no reason (HTTP 409)"),
        (says(409, b"<html>"), Verdict.DOUBTFUL, None, "gives no reason (HTTP 409)"),
        (says(400), Verdict.DOUBTFUL, None, "(HTTP 400)"),
        (says(413), Verdict.REFUSED, None, "too large (HTTP 413)"),
        (says(415), Verdict.REFUSED, None, "in this form (HTTP 415)"),
        (says(), Verdict.DOUBTFUL, None, "without a word on whether it stored"),
        (lambda asked: stored(asked, "2.25.777"), Verdict.DOUBTFUL, None, "without a word"),
        (says(200, b"<html>log in", "text/html"), Verdict.DOUBTFUL, None, "without a word"),
        (lambda asked: stored(asked, warning=0xB000), Verdict.WARNING, 0xB000, "coerced (B000H)"),
        (lambda asked: stored(asked, warning=0x0123), Verdict.WARNING, 0x0123, "a warning of its own"),
    ],
)
def test_the_outcome_of_an_object_is_read_from_the_answer(
    objects: list[ResultObject], answer: Answer, verdict: Verdict, status: int | None, words: str
) -> None:
    with web_service(in_turn(answer, stored)) as service:
        first, second = service.pacs().send(objects)
    assert (first.verdict, first.status) == (verdict, status)
    assert words in first.comment
    assert first.sent_sop_instance_uid == "2.25.1", "it may have arrived"
    assert second.verdict is Verdict.SENT, "of the other objects nothing is said by it"


def test_json_with_a_character_set_is_json(objects: list[ResultObject]) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(body=stored(asked).body, kind=f"{JSON}; charset=utf-8")

    with web_service(answer) as service:
        assert {one.verdict for one in service.pacs().send(objects)} == {Verdict.SENT}


def test_a_report_of_a_class_that_is_not_taken_goes_out_in_a_simpler_one(objects: list[ResultObject]) -> None:
    with web_service(in_turn(failed(0x0122), lambda asked: Reply(body=_any_stored(asked)))) as service:
        [outcome] = service.pacs().send(objects[:1])
    assert outcome.verdict is Verdict.SENT
    assert outcome.sent_sop_class_uid == ComprehensiveSRStorage
    assert outcome.sent_sop_instance_uid not in ("", "2.25.1"), "another form is another object"


def _any_stored(asked: Asked) -> bytes:
    """Names the object that was sent, whatever its UID."""
    uid = asked.body.split(b"\x02\x00\x03\x00UI")[1]
    name = uid[2 : 2 + int.from_bytes(uid[:2], "little")].rstrip(b"\0").decode()
    return json.dumps(
        {"00081199": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": [name]}}]}}
    ).encode()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (says(503), "cannot answer now (HTTP 503)"),
        (says(429), "cannot answer now (HTTP 429)"),
        (says(200, b"{not json"), "no DICOMweb (JSONDecodeError)"),
        (says(200, b'{"00081199": {"vr": "SQ", "Value": 7}}'), "no DICOMweb"),
        (says(200, b'{"x":' * 100_000), "no DICOMweb (RecursionError)"),
        (says(200, b"<a><b/></a>", "application/dicom+xml"), "no DICOMweb"),
        (lambda asked: Reply(body=repeat(b"[" * 65_536)), "more than 16 MB"),
        (lambda asked: Reply(body=repeat(b"x" * 65_536), kind="text/plain"), "more than 16 MB"),
        (lambda asked: Reply(503, body=repeat(b"x" * 65_536)), "more than 16 MB"),
        (lambda asked: Reply(body=iter([b"short"]), headers={"Content-Length": "9"}), "broke off"),
    ],
)
def test_an_answer_that_says_nothing_leaves_the_object_and_all_after_it_for_later(
    objects: list[ResultObject], answer: Answer, words: str
) -> None:
    with web_service(answer) as service:
        first, second = service.pacs().send(objects)
    assert first.verdict is Verdict.LATER
    assert words in first.comment
    assert first.sent_sop_instance_uid == "2.25.1", "it may have arrived"
    assert (second.verdict, second.sent_sop_instance_uid) == (Verdict.LATER, "")
    assert len(service.heard) == 1


def test_an_answer_that_trickles_is_not_waited_for(objects: list[ResultObject]) -> None:
    stopped = threading.Event()

    def trickle() -> Iterator[bytes]:
        while not stopped.wait(0.02):
            yield b" "

    with web_service(lambda asked: Reply(body=trickle())) as service:
        first, _ = service.pacs(timeout_s=0.3).send(objects)
        assert "takes too long over its answer" in first.comment
        assert service.broken_off.wait(30)
        stopped.set()


def test_a_silent_service_is_given_up_on_after_the_timeout(objects: list[ResultObject]) -> None:
    released = threading.Event()

    def wait(asked: Asked) -> Reply:
        released.wait(30)
        return Reply()

    with web_service(wait) as service:
        first, _ = service.pacs(timeout_s=0.2).send(objects)
        released.set()
    assert (first.verdict, first.comment) == (Verdict.LATER, "web did not answer within 0.2 s")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "does not let us in; see user, secret_file"),
        (403, "does not let us in"),
        (404, "offers no STOW-RS at"),
        (405, "offers no STOW-RS at"),
    ],
)
def test_where_we_are_not_welcome_nothing_counts_as_sent(
    objects: list[ResultObject], status: int, words: str
) -> None:
    with web_service(says(status)) as service, pytest.raises(DestinationError, match=words) as refused:
        service.pacs().send(objects)
    assert not isinstance(refused.value, Silent)


def test_where_nobody_listens_nothing_counts_as_sent(objects: list[ResultObject]) -> None:
    with web_service(stored) as service:
        pass
    service.url = f"http://127.0.0.1:{free_port()}/dicom-web"
    with pytest.raises(DestinationUnreachable, match="web: nobody answers at http:"):
        service.pacs().send(objects)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300, 304])
def test_a_redirect_is_not_followed_and_is_no_success(
    objects: list[ResultObject], status: int, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("s3cret")
    (tmp_path / "token").chmod(0o600)
    with web_service(stored) as elsewhere, web_service(says(status, Location=elsewhere.url)) as service:
        with pytest.raises(DestinationRefused, match=f"HTTP {status}; redirects are not followed"):
            service.pacs(secret_file=tmp_path / "token").send(objects)
        assert len(service.heard) == 1
        assert elsewhere.heard == []


def test_an_object_waits_out_a_503_and_is_delivered(store: Store, tmp_path: Path) -> None:
    clock = Clock()
    finish_study(store, tmp_path, "1.2.3", "web")
    with web_service(in_turn(says(503), stored)) as service:
        pacs = service.pacs(proof="none")
        deliver_due(store, tmp_path, pacs, POLICY, clock)
        assert states(store, "1.2.3") == ["pending", "pending"]
        assert "HTTP 503" in store.deliveries("1.2.3")[0].comment
        assert len(store.priors("1.2.3")) == 1, "the report may have arrived"
        clock.pass_by(10)
        deliver_due(store, tmp_path, pacs, POLICY, clock)
    assert job_state(store, "1.2.3") == (State.DELIVERED, "2 of 2 delivered")


def test_what_a_service_will_never_take_fails_the_study_with_its_reason(store: Store, tmp_path: Path) -> None:
    finish_study(store, tmp_path, "1.2.3", "web")
    with web_service(in_turn(failed(0xA900), stored)) as service:
        deliver_due(store, tmp_path, service.pacs(proof="none"), POLICY, Clock())
    state, reason = job_state(store, "1.2.3")
    assert state is State.FAILED
    assert "1 of 2 not delivered to web: web: it finds that the object does not match" in reason


# Who we are, and who they are


def test_a_token_from_a_file_is_borne_and_read_anew_each_time(
    objects: list[ResultObject], tmp_path: Path
) -> None:
    secret = tmp_path / "token"
    secret.touch(mode=0o600)
    with web_service(stored) as service:
        pacs = service.pacs(secret_file=secret)
        for token in ("first", "second"):
            secret.write_text(f"{token}\n")
            pacs.send(objects[:1])
    borne = [one.headers["Authorization"] for one in service.heard]
    assert borne == ["Bearer first", "Bearer second"]


def test_a_password_may_come_from_the_environment(objects: list[ResultObject]) -> None:
    with web_service(stored) as service:
        service.pacs(user="node", secret_env="PACS", variable={"PACS": "pä:ss"}.get).send(objects[:1])
    assert service.heard[0].headers["Authorization"] == "Basic bm9kZTpww6Q6c3M="


@pytest.mark.parametrize(
    ("mode", "content", "words"),
    [
        (0o640, b"s3cret", "others can read"),
        (0o604, b"s3cret", "others can read"),
        (0o600, b"", "empty, or not one line"),
        (0o600, b"s3cret\r\nX-Evil: yes", "empty, or not one line"),
        (0o600, b"s3cret\xff\xfe", "holds no text"),
        (None, b"", "No such file"),
    ],
)
def test_a_secret_that_cannot_be_used_sends_nothing_and_is_not_quoted(
    objects: list[ResultObject], tmp_path: Path, mode: int | None, content: bytes, words: str
) -> None:
    path = tmp_path / "token"
    if mode is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with web_service(stored) as service:
        with pytest.raises(DestinationUnreachable, match=words) as refused:
            service.pacs(secret_file=path).send(objects)
        assert service.heard == []
    assert "s3cret" not in str(refused.value)


def test_a_variable_that_is_not_set_sends_nothing(objects: list[ResultObject]) -> None:
    with web_service(stored) as service:
        with pytest.raises(DestinationUnreachable, match="has no PACS_TOKEN"):
            service.pacs(secret_env="PACS_TOKEN").send(objects)
        assert service.heard == []


def test_nothing_that_is_logged_or_said_holds_the_secret(
    objects: list[ResultObject], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    variable = {"PACS": "s3cret"}.get
    with web_service(in_turn(says(200, b"{"), says(403))) as service:
        pacs = service.pacs(secret_env="PACS", variable=variable)
        said = [str(one) for one in pacs.send(objects)]
        with pytest.raises(DestinationRefused) as refused:
            pacs.send(objects)
        said += [str(refused.value), repr(pacs.echo())]
    assert all("s3cret" in one.headers["Authorization"] for one in service.heard)
    captured = capfd.readouterr()
    assert "s3cret" not in "".join([*said, caplog.text, captured.out, captured.err])


def test_the_users_proxies_and_passwords_are_left_alone(
    objects: list[ResultObject], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with web_service(stored) as service:
        assert service.pacs().send(objects[:1])[0].verdict is Verdict.SENT
    assert "Authorization" not in service.heard[0].headers


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"))


def test_a_service_that_our_authority_signed_for_is_believed(
    objects: list[ResultObject], authority: Authority
) -> None:
    its = authority.identity("service")
    with web_service(stored, its.certificate, its.key) as service:
        outcomes = service.pacs(tls=TlsFiles(authorities=authority.certificate)).send(objects)
    assert {one.verdict for one in outcomes} == {Verdict.SENT}


def test_a_service_that_another_authority_signed_for_gets_nothing(
    objects: list[ResultObject], authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Authority(tmp_path, "other")
    its = other.identity("service")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.certificate))
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(other.certificate))
    with web_service(stored, its.certificate, its.key) as service:
        with pytest.raises(DestinationUnreachable, match="its certificate is not believed: "):
            service.pacs(tls=TlsFiles(authorities=authority.certificate)).send(objects)
        assert service.heard == []


def test_a_service_without_tls_behind_an_https_address_gets_nothing(
    objects: list[ResultObject], authority: Authority
) -> None:
    with web_service(stored) as service:
        service.url = service.url.replace("http:", "https:")
        with pytest.raises(DestinationUnreachable, match="no TLS with https:"):
            service.pacs(tls=TlsFiles(authorities=authority.certificate)).send(objects)
        assert service.heard == []
