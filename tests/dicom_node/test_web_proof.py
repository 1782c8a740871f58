"""What a DICOMweb service is asked afterwards: with a real Orthanc, and with services that lie or stop short."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydicom import dcmread
from typer.testing import CliRunner

from dicom_node.cli import app
from dicom_node.config_sections import DeliverSettings
from dicom_node.delivery.couriers import deliver_due
from dicom_node.delivery.proof import Found, Method, SentObject
from dicom_node.delivery.prover import Asking, prove_due
from dicom_node.delivery.web import qido
from dicom_node.delivery.web.destination import WebPacs
from dicom_node.errors import DestinationError, ServiceRefused
from dicom_node.jobs import State
from dicom_node.store import Store
from tests.dicom_node.delivering import SC, SR, Clock, finish_study, job_state, states
from tests.dicom_node.storage_scp import write_object
from tests.dicom_node.web_service import Answer, Asked, Reply, Service, listed, web_service
from tests.peers import Orthanc

POLICY = DeliverSettings(first_retry_s=10, max_retry_s=60, give_up_after_h=1)
STUDY = "1.2.3"


class Site:
    """A study on its way to a DICOMweb service, and everything that is asked about it."""

    def __init__(self, store: Store, folder: Path, pacs: WebPacs) -> None:
        self.store, self.folder, self.pacs, self.clock = store, folder, pacs, Clock()
        self.asking = Asking(store, folder, POLICY, self.clock, lambda uid: None)
        finish_study(store, folder, STUDY, "web")

    def round(self) -> tuple[State, str]:
        self.clock.pass_by(60)
        deliver_due(self.store, self.folder, self.pacs, POLICY, self.clock)
        prove_due(self.asking, self.pacs)
        return job_state(self.store, STUDY)


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Orthanc]:
    with Orthanc(tmp_path / "orthanc", dicomweb=True) as orthanc:
        yield orthanc


@pytest.fixture
def site(store: Store, tmp_path: Path, orthanc: Orthanc) -> Site:
    return Site(store, tmp_path, Service(f"{orthanc.url}/dicom-web").pacs())


@pytest.mark.peers("Orthanc")
def test_orthanc_takes_a_study_by_stow_and_gives_back_every_element_of_it(
    site: Site, orthanc: Orthanc
) -> None:
    assert site.round() == (State.COMMITTED, "2 of 2 proved: web by retrieve")
    held = {orthanc.dataset(one).SOPInstanceUID for one in orthanc.instances()}
    assert held == {"2.25.1", "2.25.2"}


@pytest.mark.peers("Orthanc")
def test_what_orthanc_lost_is_sent_to_it_again(site: Site, orthanc: Orthanc) -> None:
    deliver_due(site.store, site.folder, site.pacs, POLICY, site.clock)
    lost = next(one for one in orthanc.instances() if orthanc.dataset(one).Modality == "SR")
    orthanc.delete(f"/instances/{lost}")
    prove_due(site.asking, site.pacs)
    assert states(site.store, STUDY) == ["pending", "sent"]
    assert site.round()[0] is State.COMMITTED
    assert len(orthanc.instances()) == 2


@pytest.mark.peers("Orthanc")
def test_an_older_object_that_orthanc_keeps_under_our_uid_is_noticed(site: Site, orthanc: Orthanc) -> None:
    other = dcmread(site.folder / f"{STUDY}-1.dcm")
    other.PatientName = "Somebody^Else"
    orthanc.post(other)
    state, reason = site.round()
    assert state is State.UNCONFIRMED
    assert reason.endswith("web holds another object under this UID; it differs in PatientName")


@pytest.mark.peers("Orthanc")
def test_orthanc_says_that_it_is_there_and_a_wrong_address_that_it_is_not(orthanc: Orthanc) -> None:
    right, wrong = Service(f"{orthanc.url}/dicom-web").pacs(), Service(f"{orthanc.url}/elsewhere").pacs()
    assert right.echo().sentence == f"web answers at {orthanc.url}/dicom-web"
    assert right.proof.offers() == [Method.RETRIEVE, Method.QUERY]
    assert "offers no QIDO-RS" in wrong.echo().sentence
    assert wrong.proof.offers() == []


# Services that are no archives


def by_service(query: Answer, retrieve: Answer) -> Answer:
    """Queries end with /instances; what is got back has a UID behind it."""
    return lambda asked: (query if urlsplit(asked.path).path.endswith("/instances") else retrieve)(asked)


def status(code: int) -> Answer:
    return lambda asked: Reply(code)


def nothing(asked: Asked) -> Reply:
    return listed()


@pytest.mark.parametrize(
    ("query", "retrieve", "offered"),
    [
        (nothing, status(404), [Method.RETRIEVE, Method.QUERY]),
        (status(204), status(410), [Method.RETRIEVE, Method.QUERY]),
        (nothing, status(405), [Method.QUERY]),
        (nothing, status(501), [Method.QUERY]),
        (nothing, status(400), [Method.QUERY]),
        (status(404), status(404), []),
        (status(501), status(404), []),
    ],
)
def test_a_service_is_asked_only_for_what_it_offers(
    query: Answer, retrieve: Answer, offered: list[Method]
) -> None:
    with web_service(by_service(query, retrieve)) as service:
        assert service.pacs().proof.offers() == offered


@pytest.mark.parametrize("trouble", [status(503), status(401), lambda asked: Reply(body=b"<html>")])
def test_a_service_in_trouble_is_not_taken_for_one_that_offers_nothing(trouble: Answer) -> None:
    with web_service(trouble) as service, pytest.raises(DestinationError) as asked:
        service.pacs().proof.offers()
    assert not isinstance(asked.value, ServiceRefused)


def test_a_service_that_only_stores_is_believed(store: Store, tmp_path: Path) -> None:
    def store_only(asked: Asked) -> Reply:
        if asked.method == "GET":
            return Reply(404)
        items = [{"00081155": {"vr": "UI", "Value": [asked.uid]}}]
        return Reply(body=json.dumps({"00081199": {"vr": "SQ", "Value": items}}).encode())

    with web_service(store_only) as service:
        site = Site(store, tmp_path, service.pacs())
        assert site.round() == (State.DELIVERED, "2 of 2 delivered")
        assert [one.proof_method for one in store.deliveries(STUDY)] == ["none", "none"]


@pytest.fixture
def objects(tmp_path: Path) -> list[SentObject]:
    written = [write_object(tmp_path, SR, 1), write_object(tmp_path, SC, 2)]
    return [
        SentObject(one.path, STUDY, "2.25.99", one.sop_class_uid, one.sop_instance_uid) for one in written
    ]


@pytest.mark.parametrize(
    ("query", "retrieve", "found"),
    [
        (nothing, status(404), Found.MISSING),
        (lambda asked: listed("2.25.1", "2.25.2"), status(404), Found.UNKNOWN),
        (lambda asked: listed("2.25.1", "2.25.2"), status(410), Found.UNKNOWN),
    ],
)
def test_what_is_not_given_back_is_missing_only_if_it_is_not_listed(
    objects: list[SentObject], query: Answer, retrieve: Answer, found: Found
) -> None:
    with web_service(by_service(query, retrieve)) as service:
        assert {one.found for one in service.pacs().proof.retrieve(objects)} == {found}


@pytest.mark.parametrize(
    "retrieve",
    [
        lambda asked: Reply(body=b"no DICOM", kind="multipart/related; boundary=x"),
        lambda asked: Reply(body=b"", kind="text/html"),
        lambda asked: Reply(body=b"--x\r\n\r\nno DICOM\r\n--x--", kind="multipart/related; boundary=x"),
        lambda asked: Reply(body=iter(lambda: b"x" * 65_536, b""), kind="multipart/related; boundary=x"),
    ],
    ids=["no part", "no multipart", "no DICOM", "endless"],
)
def test_garbage_given_back_proves_nothing_and_loses_nothing(
    objects: list[SentObject], retrieve: Answer
) -> None:
    with (
        web_service(by_service(nothing, retrieve)) as service,
        pytest.raises(DestinationError, match=r"no DICOMweb|more than 1 MB"),
    ):
        service.pacs().proof.retrieve(objects)


def test_a_list_is_read_page_by_page(objects: list[SentObject]) -> None:
    uids = ["2.25.77", "2.25.1", "2.25.88", "2.25.2", "2.25.99"]

    def two_at_a_time(asked: Asked) -> Reply:
        offset = int(parse_qs(urlsplit(asked.path).query).get("offset", ["0"])[0])
        return listed(*uids[offset : offset + 2])

    with web_service(two_at_a_time) as service:
        assert {one.found for one in service.pacs().proof.query(objects)} == {Found.PROVED}
        assert len(service.heard) == 2, "the rest of the list is not needed"


def test_a_service_that_knows_no_pages_is_asked_once_more_and_not_for_ever(
    objects: list[SentObject],
) -> None:
    with web_service(lambda asked: listed("2.25.1")) as service:
        assert [one.found for one in service.pacs().proof.query(objects)] == [Found.PROVED, Found.MISSING]
        assert len(service.heard) == 2


def test_a_list_without_end_is_left(objects: list[SentObject], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qido, "MOST_LISTED", 20)
    numbers = count(1000)
    with (
        web_service(lambda asked: listed(f"2.25.{next(numbers)}")) as service,
        pytest.raises(ServiceRefused, match="lists more than 20 objects"),
    ):
        service.pacs().proof.query(objects)


def test_a_study_uid_that_is_none_stays_one_segment_of_the_address(objects: list[SentObject]) -> None:
    odd = SentObject(objects[0].path, "../1?x=#@ é", "2.25.99", SR, "2.25.1")
    with web_service(lambda asked: listed("2.25.1")) as service:
        assert service.pacs().proof.query([odd])[0].found is Found.PROVED
    [asked] = service.heard
    assert asked.path.startswith("/dicom-web/studies/..%2F1%3Fx%3D%23%40%20%C3%A9/series/2.25.99/instances?")


def test_send_speaks_c_store_only(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("destinations: [{name: cloud, url: 'http://127.0.0.1:1/x'}]\n")
    done = CliRunner().invoke(
        app, ["--config", str(tmp_path / "config.yaml"), "send", str(tmp_path), "--to", "cloud"]
    )
    assert done.exit_code == 3
    assert "cloud is reached by DICOMweb" in done.stderr
