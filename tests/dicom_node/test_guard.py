"""Faults put into results on their way out: none of them reaches a real storage SCP."""

import hashlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage
from structlog.testing import capture_logs

from dicom_node.analysis.ask_notice import new_results
from dicom_node.analysis.attribution import Identity, refuse_misattribution
from dicom_node.analysis.results import write_results
from dicom_node.config_sections import DeliverSettings
from dicom_node.delivery.couriers import deliver_due
from dicom_node.jobs import State
from dicom_node.routing import Routes
from dicom_node.store import Store
from dicom_node.store.records import NewResult
from dicom_node.store.run_records import NewRun
from pipeline import InstanceFacts
from reports import Report, build_reports
from tests.dicom_node.rows import MODEL, START, after, image, row_of, run
from tests.dicom_node.storage_scp import storage_scp, write_object
from tests.reports.made import everything
from tests.reports.scans import STUDY_UID, small_context

POLICY = DeliverSettings()
Spoil = Callable[[Dataset], None]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Report], tuple[InstanceFacts, ...]]:
    """The objects made of a study of 5 x 4 images, and the images' facts."""
    context = small_context(tmp_path_factory.mktemp("study"))
    return build_reports(context), context.study.facts


@pytest.fixture
def ready(store: Store, tmp_path: Path, reports: tuple[list[Report], tuple[InstanceFacts, ...]]) -> "Ready":
    return Ready(store, tmp_path, *reports)


class Ready:
    """A study about to be delivered, with faults in what was made of it."""

    def __init__(
        self, store: Store, results: Path, made: list[Report], facts: tuple[InstanceFacts, ...]
    ) -> None:
        self.store, self.results, self.made = store, results, made
        self.store.add_instances([row_of(one) for one in facts], START)

    def record(self, spoil: Spoil | None = None, number: int = 0, recorded_as: str = "") -> None:
        """Write everything down as made, one object spoilt, or the first one recorded under another UID."""
        objects = list(self.made)
        if spoil is not None:
            objects[number] = Report(objects[number].kind, deepcopy(objects[number].dataset))
            spoil(objects[number].dataset)
        made = new_results(write_results(objects, self.results))
        if recorded_as:
            made[0] = replace(made[0], sop_instance_uid=recorded_as)
        job = run(self.store, STUDY_UID)
        assert self.store.record_results(job, made, Routes.everything_to("pacs"), NewRun(MODEL, "key", START))

    def deliver(self, at: datetime = START) -> list[str]:
        """What the PACS takes in one round."""
        with storage_scp() as scp:
            deliver_due(self.store, self.results, scp.pacs(), POLICY, lambda: at)
        return [str(dataset.StudyInstanceUID) for dataset in scp.taken]

    @property
    def alarm(self) -> str:
        job = self.store.job(STUDY_UID)
        assert job is not None
        return job.alarm


def _patient(dataset: Dataset) -> None:
    dataset.PatientID = "SOMEONE-ELSE"


def _study(dataset: Dataset) -> None:
    dataset.StudyInstanceUID = "1.2.3"


def _evidence(dataset: Dataset) -> None:
    dataset.CurrentRequestedProcedureEvidenceSequence[0].StudyInstanceUID = "1.2.3"


def _frame(dataset: Dataset) -> None:
    dataset.FrameOfReferenceUID = "1.2.3"


def _frame_of_images(dataset: Dataset) -> None:
    [item] = [
        item
        for item in dataset.ContentSequence[-1].ContentSequence[0].ContentSequence
        if item.ValueType == "UIDREF"
    ]
    item.UID = "1.2.3"


@pytest.mark.parametrize(
    ("spoil", "number", "names"),
    [
        (_patient, 0, "patient"),
        (_patient, -1, "patient"),
        (_study, 0, "study"),
        (_evidence, 0, "study"),
        (_study, -1, "study"),
        (_frame_of_images, 0, "frame of reference"),
        (_frame, -1, "frame of reference"),
    ],
)
def test_a_result_of_another_identity_stops_everything_of_its_study(
    ready: Ready, spoil: Spoil, number: int, names: str
) -> None:
    ready.record(spoil, number)
    with capture_logs() as log:
        assert ready.deliver() == []
    [alarm] = [line for line in log if line["event"] == "identity-alarm"]
    assert (alarm["log_level"], alarm["study"]) == ("error", STUDY_UID)
    assert ready.alarm == alarm["reason"]
    assert f"names another {names} than its images" in ready.alarm
    job = ready.store.job(STUDY_UID)
    assert job is not None
    assert (job.state, job.reason) == (State.FAILED, ready.alarm)
    assert {one.state.value for one in ready.store.deliveries(STUDY_UID)} == {"cancelled"}
    assert ready.store.counts().alarms == 1
    assert ready.store.priors(STUDY_UID) == [], "nothing of it ever left"


def test_a_file_that_was_put_in_the_place_of_another_is_not_sent(ready: Ready) -> None:
    ready.record()
    first, *_, last = ready.store.deliveries(STUDY_UID)
    (ready.results / first.path).write_bytes((ready.results / last.path).read_bytes())
    assert ready.deliver() == []
    assert "is not the one that was written" in ready.alarm


def test_an_object_that_is_not_the_one_recorded_is_not_sent(ready: Ready) -> None:
    ready.record(recorded_as="2.25.1")
    assert ready.deliver() == []
    assert "the sr names another object than its images" in ready.alarm


def test_what_is_as_it_should_be_goes_out(ready: Ready) -> None:
    ready.record()
    assert ready.deliver() == [STUDY_UID] * len(ready.made)
    assert ready.alarm == ""


def test_other_studies_go_on(ready: Ready) -> None:
    ready.record(_patient)
    ready.store.add_instances([replace(image(study="1.2.9"), facts=None)], START)
    other = write_object(ready.results, SecondaryCaptureImageStorage, 1, "1.2.9")
    digest = hashlib.sha256(other.path.read_bytes()).hexdigest()
    made = NewResult(
        "summary", other.sop_class_uid, other.sop_instance_uid, "2.25.9", other.path.name, digest
    )
    recorded = run(ready.store, "1.2.9")
    assert ready.store.record_results(
        recorded, [made], Routes.everything_to("pacs"), NewRun(MODEL, "key", START)
    )
    assert ready.deliver() == ["1.2.9"]


def test_no_object_that_a_site_can_ask_for_is_suspected(store: Store, tmp_path: Path) -> None:
    context = small_context(tmp_path / "study", options=everything("all_phases"))
    whole = Ready(store, tmp_path / "results", build_reports(context), context.study.facts)
    header = context.study.instances[0].header
    refuse_misattribution(whole.made, Identity(header.PatientID, STUDY_UID, header.FrameOfReferenceUID))
    whole.record()
    assert whole.deliver(), "what this PACS takes"
    assert whole.alarm == ""


def test_images_that_each_have_a_frame_of_reference_are_no_reason_to_withhold(
    store: Store, tmp_path: Path
) -> None:
    def own_frame(header: Dataset) -> None:
        if header.InstanceNumber > 1:
            header.FrameOfReferenceUID = f"1.2.3.{header.InstanceNumber}"

    context = small_context(tmp_path / "study", change=own_frame)
    dirty = Ready(store, tmp_path / "results", build_reports(context), context.study.facts)
    dirty.record()
    assert dirty.deliver(), "what this PACS takes"
    assert dirty.alarm == ""


def test_an_id_in_kanji_is_no_reason_to_withhold(store: Store, tmp_path: Path) -> None:
    def rename(header: Dataset) -> None:
        header.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
        header.PatientID = "山田-01"

    context = small_context(tmp_path / "study", change=rename)
    kanji = Ready(store, tmp_path / "results", build_reports(context), context.study.facts)
    kanji.record()
    assert kanji.deliver(), "what this PACS takes"
    assert kanji.alarm == ""


def test_a_late_image_does_not_end_an_alarm_but_the_operator_does(ready: Ready) -> None:
    ready.record(_patient)
    assert ready.deliver() == []
    ready.store.add_instances([replace(image(study=STUDY_UID), facts=None)], after(1))
    ready.record()
    assert ready.deliver(after(5)) == [], "a good result, but nobody has looked"
    assert ready.alarm
    assert ready.store.retry(STUDY_UID, after(6))
    assert ready.alarm == ""
    assert ready.deliver(after(7)) == [STUDY_UID] * len(ready.made)


def test_after_an_alarm_the_result_is_made_anew_not_sent_again(ready: Ready) -> None:
    ready.record(_frame, -1)
    assert ready.deliver() == []
    assert ready.store.inputs_key(STUDY_UID) == ""
    assert ready.store.retry(STUDY_UID, after(1))
    job = ready.store.job(STUDY_UID)
    assert job is not None
    assert job.state is State.READY
