"""A real PACS that is cut off, restarted, slow or away while results go out: in the end it holds each once."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import SecondaryCaptureImageStorage

from dicom_node.config_sections import DeliverSettings, Destination
from dicom_node.delivery.couriers import Couriers, deliver_due
from dicom_node.delivery.destination import Pacs
from dicom_node.jobs import State
from dicom_node.migrations import migrate
from dicom_node.routing import Routes
from dicom_node.store import Store
from dicom_node.store.records import NewInstance, NewResult
from dicom_node.store.run_records import NewRun
from tests.dicom_node.storage_scp import write_object
from tests.peers import Orthanc
from tests.peers.bad_line import BadLine
from tests.peers.presence import free_port

pytestmark = pytest.mark.peers("Orthanc")

START = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
POLICY = DeliverSettings(first_retry_s=10, max_retry_s=60, give_up_after_h=1)
OBJECTS, SIDE = 4, 512


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with Orthanc(tmp_path_factory.mktemp("orthanc")) as orthanc:
        yield orthanc


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'node.db'}"
    migrate(url)
    store = Store(url)
    yield store
    store.close()


def queue(store: Store, folder: Path, study: str, *destinations: str) -> set[str]:
    """Four pictures of 256 KiB wait for these destinations; their SOP Instance UIDs."""
    store.add_instances([NewInstance(f"{study}.dcm", "00", START, study, "1.2", f"{study}.1")], START)
    job = store.job(study)
    assert job is not None
    assert store.settle(job, State.READY, START, "complete", "test")
    running = store.claim(START)
    assert running is not None
    made = [_picture(folder, study, number) for number in range(OBJECTS)]
    assert store.record_results(
        running, made, Routes.everything_to(*destinations), NewRun({"weights_sha256": "ab"}, "key", START)
    )
    return {one.sop_instance_uid for one in made}


def _picture(folder: Path, study: str, number: int) -> NewResult:
    path = write_object(folder, str(SecondaryCaptureImageStorage), number, study).path
    picture = dcmread(path)
    picture.SOPInstanceUID = picture.file_meta.MediaStorageSOPInstanceUID = f"{study}.7.{number}"
    picture.Rows = picture.Columns = SIDE
    picture.SamplesPerPixel, picture.PhotometricInterpretation = 1, "MONOCHROME2"
    picture.BitsAllocated = picture.BitsStored = 8
    picture.HighBit, picture.PixelRepresentation = 7, 0
    picture.add_new("PixelData", "OB", bytes([number]) * SIDE**2)
    picture.save_as(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    sop_class, uid = str(picture.SOPClassUID), str(picture.SOPInstanceUID)
    return NewResult("summary", sop_class, uid, "2.25.99", path.name, digest)


def pacs(port: int, name: str = "pacs") -> Pacs:
    settings = Destination(name=name, host="127.0.0.1", port=port, ae_title=Orthanc.ae_title)
    return Pacs(settings, "DICOMNODE", 20.0)


def held(orthanc: Orthanc, study: str) -> dict[str, bytes]:
    """SOP Instance UID → pixels of what the PACS holds of the study."""
    every = map(orthanc.dataset, orthanc.instances())
    return {str(one.SOPInstanceUID): one.PixelData[:1] for one in every if one.StudyInstanceUID == study}


def state_of(store: Store, study: str) -> State:
    job = store.job(study)
    assert job is not None
    return job.state


def test_an_object_that_is_cut_off_half_way_is_sent_again_whole(
    store: Store, tmp_path: Path, orthanc: Orthanc
) -> None:
    study, clock = "1.2.41", Clock()
    uids = queue(store, tmp_path, study, "pacs")
    with BadLine(orthanc.dicom_port, cut_after=SIDE**2 + SIDE**2 // 2) as line:
        deliver_due(store, tmp_path, pacs(line.port), POLICY, clock)
        assert line.cut.is_set()
        assert len(held(orthanc, study)) == 1
        assert state_of(store, study) is State.DELIVERING
        clock.now += timedelta(seconds=10)
        deliver_due(store, tmp_path, pacs(line.port), POLICY, clock)
    assert held(orthanc, study) == {uid: bytes([int(uid[-1])]) for uid in uids}
    assert state_of(store, study) is State.DELIVERED


def test_a_pacs_that_is_restarted_while_objects_come_in_gets_the_rest(
    store: Store, tmp_path: Path, orthanc: Orthanc
) -> None:
    study, clock = "1.2.42", Clock()
    uids = queue(store, tmp_path, study, "pacs")
    with BadLine(orthanc.dicom_port, pause_s=0.005) as line:
        couriers = Couriers(store, tmp_path, [pacs(line.port)], POLICY, clock)
        couriers.tick()
        while line.carried < SIDE**2 + SIDE**2 // 2:
            line.cut.wait(0.001)
        orthanc.stop()
        couriers.close()
        assert state_of(store, study) is State.DELIVERING
        orthanc.start()
        clock.now += timedelta(seconds=10)
        deliver_due(store, tmp_path, pacs(line.port), POLICY, clock)
    assert held(orthanc, study) == {uid: bytes([int(uid[-1])]) for uid in uids}
    assert state_of(store, study) is State.DELIVERED


def test_a_slow_line_is_waited_for(store: Store, tmp_path: Path, orthanc: Orthanc) -> None:
    study, clock = "1.2.43", Clock()
    uids = queue(store, tmp_path, study, "pacs")
    with BadLine(orthanc.dicom_port, pause_s=0.03) as line:
        assert deliver_due(store, tmp_path, pacs(line.port), POLICY, clock) == OBJECTS
    assert set(held(orthanc, study)) == uids
    assert [one.attempts for one in store.deliveries(study)] == [1] * OBJECTS


def test_of_two_destinations_the_one_that_is_up_does_not_wait_for_the_other(
    store: Store, tmp_path: Path, orthanc: Orthanc
) -> None:
    study, clock, later = "1.2.44", Clock(), free_port()
    uids = queue(store, tmp_path, study, "pacs", "backup")
    places = [pacs(orthanc.dicom_port), pacs(later, "backup")]
    couriers = Couriers(store, tmp_path, places, POLICY, clock)
    couriers.tick()
    couriers.close()
    assert set(held(orthanc, study)) == uids
    reached = {one.destination: one.state.value for one in store.deliveries(study)}
    assert reached == {"pacs": "sent", "backup": "pending"}
    assert state_of(store, study) is State.DELIVERING
    with Orthanc(tmp_path / "backup") as backup:
        clock.now += timedelta(seconds=10)
        deliver_due(store, tmp_path, pacs(backup.dicom_port, "backup"), POLICY, clock)
        assert set(held(backup, study)) == uids
    assert state_of(store, study) is State.DELIVERED
