"""Studies on their way out: results on disk, rows in a store, and a clock that the test turns."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydicom.uid import Comprehensive3DSRStorage, SecondaryCaptureImageStorage

from dicom_node.config_sections import DeliverSettings
from dicom_node.delivery.storage_scu import ResultObject
from dicom_node.jobs import State
from dicom_node.routing import Routes
from dicom_node.store import Store
from dicom_node.store.records import NewInstance, NewResult
from dicom_node.store.run_records import NewRun
from tests.dicom_node.rows import MODEL
from tests.dicom_node.storage_scp import write_object

START = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
POLICY = DeliverSettings(first_retry_s=10, max_retry_s=60, give_up_after_h=1)
SR, SC = str(Comprehensive3DSRStorage), str(SecondaryCaptureImageStorage)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def finish_study(store: Store, folder: Path, study: str, *destinations: str, at: datetime = START) -> None:
    """Bring a study to DELIVERING, with an SR and one secondary capture on disk."""
    path = f"00/{'0' * 40}/{study.replace('.', '').zfill(40)}-{'0' * 16}.dcm"
    store.add_instances([NewInstance(path, "00", at, study, "1.2", f"{study}.1")], at)
    job = store.job(study)
    assert job is not None
    assert store.settle(job, State.READY, at, "complete", "test")
    running = store.claim(at)
    assert running is not None
    results = [
        _filed("sr", write_object(folder, SR, 1, study)),
        _filed("summary", write_object(folder, SC, 2, study)),
    ]
    assert store.record_results(
        running, results, Routes.everything_to(*destinations), NewRun(MODEL, "key", at)
    )


def _filed(kind: str, item: ResultObject) -> NewResult:
    digest = hashlib.sha256(item.path.read_bytes()).hexdigest()
    return NewResult(kind, item.sop_class_uid, item.sop_instance_uid, "2.25.99", item.path.name, digest)


def states(store: Store, study: str) -> list[str]:
    return [delivery.state.value for delivery in store.deliveries(study)]


def job_state(store: Store, study: str) -> tuple[State, str]:
    job = store.job(study)
    assert job is not None
    return job.state, job.reason
