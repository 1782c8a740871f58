"""Rows to put into a store: images nobody sent, results nobody computed."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dicom_node.jobs import Job, State
from dicom_node.routing import Routes
from dicom_node.store import Store
from dicom_node.store.records import NOTICES, NewInstance, NewResult
from dicom_node.store.run_records import NewRun
from pipeline import InstanceFacts

STUDY = "1.2.840.01.7"  # a component with a leading zero, as real scanners write
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MODEL = {"weights_sha256": "a" * 64, "name": "ST-RAN", "version": "1"}


def after(seconds: float) -> datetime:
    """A moment that many seconds after the tests' beginning of time."""
    return START + timedelta(seconds=seconds)


def image(number: int = 1, study: str = STUDY, content: str = "", at: datetime = START) -> NewInstance:
    """An archived image; other `content` under the same number is another file with the same UID."""
    uid = f"{study}.{number}"
    digest = hashlib.sha256(f"{uid} {content}".encode()).hexdigest()
    facts = InstanceFacts(study, f"{study}.0", uid, "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.1.2.1")
    return NewInstance(
        path=f"aa/{hashlib.sha256(study.encode()).hexdigest()[:8]}/{number}-{digest[:16]}.dcm",
        digest=digest,
        received_at=at,
        study_instance_uid=study,
        series_instance_uid=facts.series_instance_uid,
        sop_instance_uid=uid,
        sop_class_uid=facts.sop_class_uid,
        transfer_syntax_uid=facts.transfer_syntax_uid,
        modality="MR",
        series_number=4,
        series_description="SAX cine",
        pixel_offset=1024,
        pixel_length=131072,
        facts=facts.as_json(),
    )


def row_of(facts: InstanceFacts, path: str = "") -> NewInstance:
    """The row that the index would write of such a file."""
    return NewInstance(
        path or f"{facts.sop_instance_uid}.dcm",
        f"digest of {facts.sop_instance_uid}",
        START,
        study_instance_uid=facts.study_instance_uid,
        series_instance_uid=facts.series_instance_uid,
        sop_instance_uid=facts.sop_instance_uid,
        facts=facts.as_json(),
    )


def images(count: int, study: str = STUDY) -> list[NewInstance]:
    """That many images of one study."""
    return [image(number, study) for number in range(1, count + 1)]


def made(name: str = "a", attention: int = 1) -> list[NewResult]:
    """A report, and some attention maps."""
    kinds = ["sr"] + ["attention"] * attention
    return [
        NewResult(kind, f"class.{kind}", f"2.25.{name}.{n}", f"2.25.{name}", f"{name}/{n}.dcm", "d" * 64)
        for n, kind in enumerate(kinds)
    ]


def noticed(name: str = "n") -> list[NewResult]:
    """A notice and its page."""
    return [replace(one, kind=kind) for one, kind in zip(made(name), NOTICES, strict=True)]


def run(store: Store, study: str = STUDY, at: datetime = START) -> Job:
    """Bring a study that is RECEIVING to RUNNING."""
    job = store.job(study)
    assert job is not None
    assert store.settle(job, State.READY, at, "complete", "test")
    claimed = store.claim(at)
    assert claimed is not None
    return claimed


def deliver(
    store: Store, name: str = "a", destinations: Iterable[str] = ("pacs",), at: datetime = START
) -> Job:
    """Bring a study that is RECEIVING to DELIVERING, two objects for each destination."""
    assert store.record_results(
        run(store, at=at), made(name), Routes.everything_to(*destinations), NewRun(MODEL, f"key-{name}", at)
    )
    job = store.job(STUDY)
    assert job is not None
    return job


def state(store: Store, study: str = STUDY) -> State:
    """Where the study stands."""
    job = store.job(study)
    assert job is not None
    return job.state
