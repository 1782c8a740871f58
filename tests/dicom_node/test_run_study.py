"""How runs end: a real store and notices of real files; analyses end as the engine is told."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from structlog.testing import capture_logs

from dicom_node.analysis.engine import AnalysisRequest, AnalysisResult, NoticeRequest, Request
from dicom_node.analysis.findings import Findings, VolumeFound
from dicom_node.analysis.notice import make_notice
from dicom_node.analysis.results import write_results
from dicom_node.analysis.room import Room
from dicom_node.analysis.run_settings import RunSettings, run_settings
from dicom_node.analysis.run_study import Runner
from dicom_node.archive import Archive
from dicom_node.config import Settings
from dicom_node.config_sections import ModelSettings
from dicom_node.errors import StoreUnavailable, WorkerDied, WorkerOverdue, WorkerStarved
from dicom_node.jobs import Job, State
from dicom_node.operate.show import view_study
from dicom_node.operate.trace import trace_object
from dicom_node.routing import Routes
from dicom_node.store import Store
from dicom_node.store.records import DeliveryOutcome, DeliveryState, NewInstance
from models import LAST, ModelIdentity, Rung
from pipeline import read_facts
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from reports import Equipment, Report, ReportOptions
from tests.dicom_node.rows import after, row_of

EQUIPMENT = Equipment("dicom-node project", "dicom-node", "0.1.0", "0001", "DICOMNODE")
MODEL = ModelIdentity("ST-RAN", "1", "stran", "ab" * 32, "cd" * 32, "Scar", "phantoms", demonstration=True)
REJECTED = AnalysisResult("rejected", "3 slices x 8 phases, missing: slice 2", cause="incomplete")
FAILED = AnalysisResult("failed", "unexpected KeyError: 'Rows'; the worker's log has more")
ALARM = AnalysisResult("misattributed", "the sr names another patient than its images")
SENT = DeliveryOutcome(DeliveryState.SENT, status=0, sent_sop_instance_uid="as it is")


class Told:
    """An engine whose analyses end as they are told; notices are really written."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self.endings: list[AnalysisResult | Exception] = []
        self.notices_die = False
        self.notices_end: AnalysisResult | None = None
        self.asked: list[Request] = []

    def submit(self, request: Request) -> AnalysisResult:
        self.asked.append(request)
        if isinstance(request, NoticeRequest):
            if self.notices_die:
                raise WorkerDied("the worker was ended by SIGKILL")
            if self.notices_end is not None:
                return self.notices_end
            return AnalysisResult("done", files=write_results(make_notice(request), request.out_dir))
        ending = self.endings.pop(0)
        if isinstance(ending, Exception):
            raise ending
        return self._done(request) if ending.outcome == "done" else ending

    def close(self) -> None:
        """Nothing is held."""

    def _done(self, request: AnalysisRequest) -> AnalysisResult:
        """A report, as far as the store looks at one."""
        report = Dataset()
        report.file_meta = dcmread(request.paths[0]).file_meta
        report.SOPClassUID, report.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.34", "2.25.4711"
        report.StudyInstanceUID, report.SeriesInstanceUID = request.study_instance_uid, "2.25.4712"
        files = write_results([Report("sr", report)], request.out_dir)
        volume = VolumeFound("ef" * 32, (8, 3, 24, 24))
        return AnalysisResult("done", findings=Findings(0.5, 0.5, "all", (), volume, MODEL), files=files)


DONE = AnalysisResult("done")


class Bench:
    """One study of 3 slices x 8 phases, a runner, and a clock of whole seconds."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder, self.second = store, folder, 0
        self.engine = Told(folder / "results")
        self.free_bytes = 0
        self.room = Room(lambda: self.free_bytes)
        phantom = render(draw_heart(7), Scan(slices=3, phases=8, matrix=(24, 24)))
        self.waiting = self._archived(write_dicom(phantom, folder, Layout.GE))
        self.study = self.waiting[0].study_instance_uid
        self.choices = RunSettings(
            results=folder / "results",
            bundles=folder / "models",
            bundle=None,
            threshold=None,
            max_attempts=2,
            allow_incomplete=False,
            options=ReportOptions(),
            equipment=EQUIPMENT,
            routes=Routes.everything_to("pacs"),
            not_analysed="cine",
            rung=Rung.USUAL,
        )

    def _archived(self, files: list[Path]) -> list[NewInstance]:
        shelf = Path("00") / ("0" * 40)
        (self.folder / shelf).mkdir(parents=True)
        rows = []
        for number, file in enumerate(files):
            path = shelf / f"{number:040x}-{'0' * 16}.dcm"
            (self.folder / path).write_bytes(file.read_bytes())
            rows.append(row_of(read_facts(file), str(path)))
        return rows

    def receive(self, images: int, key: str = "images", *, cine: bool = True) -> None:
        """That many more images come, and completion is content."""
        self.second += 10
        batch, self.waiting = self.waiting[:images], self.waiting[images:]
        assert self.store.add_instances(batch, after(self.second)) == (self.study,)
        job = self.job
        assert self.store.note_verdict(job, {"inputs_key": key, "cine": cine})
        assert self.store.settle(job, State.READY, after(self.second), "complete", "test")

    def run(self, *endings: AnalysisResult | Exception) -> None:
        """Run what is READY, each run ending as told."""
        self.second += 10
        self.engine.endings = list(endings)
        self.runner().run_all()
        assert self.engine.endings == []

    def runner(self) -> Runner:
        archive = Archive(self.folder, 0)
        return Runner(self.store, archive, self.engine, self.choices, lambda: after(self.second), self.room)

    def send(self) -> list[str]:
        """Everything due goes out; the kinds."""
        self.second += 10
        due = self.store.due_deliveries("pacs", after(self.second))
        for delivery in due:
            self.store.note_delivery(delivery.id, SENT, after(self.second))
        self.store.finish_deliveries(after(self.second))
        return [delivery.kind for delivery in due]

    @property
    def job(self) -> Job:
        job = self.store.job(self.study)
        assert job is not None
        return job

    @property
    def current(self) -> list[str]:
        return [result.kind for result in self.store.current_results(self.study)]

    def notice(self) -> Dataset:
        """The notice that stands, from its file."""
        [result] = [one for one in self.store.current_results(self.study) if one.kind == "notice"]
        return dcmread(self.folder / "results" / result.path)

    def summary(self) -> str:
        [words] = [item for item in self.notice().ContentSequence if item.ValueType == "CONTAINER"][:1]
        return str(words.ContentSequence[0].TextValue)


@pytest.fixture
def bench(store: Store, tmp_path: Path) -> Bench:
    return Bench(store, tmp_path)


def test_a_rejected_study_ends_at_once_and_its_notice_goes_out(bench: Bench) -> None:
    bench.receive(20)
    bench.run(REJECTED)
    assert (bench.job.state, bench.job.reason) == (State.REJECTED, REJECTED.reason)
    assert "Images of the short-axis cine are missing: 3 slices x 8 phases" in bench.summary()
    assert bench.send() == ["notice", "notice-page"]
    assert bench.send() == []
    assert bench.job.state is State.REJECTED
    assert [event.reason for event in bench.store.events(bench.study)][-2:] == [
        "a notice made for pacs",
        "the notice: 2 of 2 delivered",
    ]
    view = view_study(bench.store, bench.study)
    assert view.notice == "a notice says so: notice to pacs sent, notice-page to pacs sent"


def test_a_notice_is_traced_to_its_images_and_its_cause(bench: Bench) -> None:
    bench.receive(20)
    bench.run(REJECTED)
    notice, page = bench.store.current_results(bench.study)
    trace = trace_object(
        bench.store, Archive(bench.folder, 0), bench.store.lineage.objects_named(page.sop_instance_uid)[0]
    )
    assert trace.run is not None
    assert trace.run.request["refusal"] == {"cause": "incomplete", "detail": REJECTED.reason}
    assert trace.run.request["now"] == after(20).isoformat().replace("+00:00", "Z")
    given = [(one.given.digest, one.given.used) for one in trace.sources]
    assert given == [(digest, False) for digest in bench.store.digests(bench.study).values()]
    assert len(given) == 20
    assert (trace.model, trace.together) == ({}, (notice,))
    assert bench.store.lineage.models("") == {}


@pytest.mark.parametrize(
    ("endings", "words"),
    [
        ([FAILED], "A fault in the node kept it from reading the study."),
        ([WorkerDied("SIGSEGV"), WorkerDied("SIGSEGV")], "A fault in the node"),
        ([WorkerDied("SIGSEGV"), WorkerOverdue("too slow")], "took longer than the node allows."),
    ],
)
def test_a_failed_study_says_no_more_than_that_the_node_is_to_blame(
    bench: Bench, endings: list[AnalysisResult | Exception], words: str
) -> None:
    bench.receive(24)
    bench.run(*endings)
    assert bench.job.state is State.FAILED
    assert words in bench.summary()
    assert "KeyError" not in bench.summary()
    assert "SIGSEGV" not in bench.summary()
    assert bench.send() == ["notice", "notice-page"]


@pytest.mark.parametrize(
    ("choice", "cine", "made"),
    [
        ("never", True, []),
        ("cine", False, []),
        ("cine", True, ["notice", "notice-page"]),
        ("always", False, ["notice", "notice-page"]),
    ],
)
def test_the_site_chooses_which_studies_get_a_notice(
    bench: Bench, choice: str, cine: bool, made: list[str]
) -> None:
    bench.choices = replace(bench.choices, not_analysed=choice)  # type: ignore[arg-type]
    bench.receive(20, cine=cine)
    bench.run(REJECTED)
    assert bench.job.state is State.REJECTED
    assert bench.current == made
    assert bench.send() == made


def test_a_report_that_becomes_possible_names_the_notice(bench: Bench) -> None:
    bench.receive(20)
    bench.run(REJECTED)
    bench.send()
    notice = bench.notice().SOPInstanceUID
    bench.receive(4, "more images")
    bench.run(DONE)
    asked = bench.engine.asked[-1]
    assert isinstance(asked, AnalysisRequest)
    assert [prior.sop_instance_uid for prior in asked.priors] == [notice]
    assert bench.current == ["sr"]
    assert bench.send() == ["sr"]
    assert bench.job.state is State.DELIVERED


def test_a_notice_that_was_not_sent_yet_gives_way_to_the_report(bench: Bench) -> None:
    bench.receive(20)
    bench.run(REJECTED)
    bench.receive(4, "more images")
    assert bench.send() == [], "the study is open again"
    bench.run(DONE)
    assert bench.engine.asked[-1].priors == ()
    assert bench.send() == ["sr"]


def test_a_report_that_a_late_image_contradicts_is_superseded_by_the_notice(bench: Bench) -> None:
    bench.receive(20)
    bench.run(DONE)
    assert bench.send() == ["sr"]
    bench.receive(4, "")
    bench.run(AnalysisResult("rejected", "the images name 2 different patients", cause="contradictory"))
    series = bench.notice().PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "2.25.4711"
    assert bench.current == ["notice", "notice-page"]
    assert bench.send() == ["notice", "notice-page"]


NO_ROOM = AnalysisResult("no_room", "there was no room on the disk to write the results")


def test_a_study_whose_report_finds_no_room_waits_and_is_read_when_there_is_some(bench: Bench) -> None:
    bench.receive(20)
    bench.run(NO_ROOM)
    assert (bench.job.state, bench.job.attempts) == (State.READY, 0)
    assert "read again when there is some" in bench.job.reason
    bench.run()
    assert len(bench.engine.asked) == 1, "nothing is tried while nothing has changed"
    bench.free_bytes += 10_000_000
    bench.run(DONE)
    assert bench.send() == ["sr"]


def test_a_notice_that_finds_no_room_waits_too(bench: Bench) -> None:
    bench.receive(20)
    bench.engine.notices_end = NO_ROOM
    bench.run(REJECTED)
    assert bench.job.state is State.READY
    bench.engine.notices_end = None
    bench.free_bytes += 10_000_000
    bench.run(REJECTED)
    assert bench.send() == ["notice", "notice-page"]


def test_a_run_is_tried_all_the_same_when_free_space_never_changes(bench: Bench) -> None:
    bench.receive(20)
    bench.run(NO_ROOM)
    bench.second += 300
    bench.run(DONE)
    assert bench.current == ["sr"]


def test_a_run_whose_end_could_not_be_written_down_begins_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.receive(20)
    runner = bench.runner()

    def locked(*_: object) -> bool:
        raise StoreUnavailable("the database is locked")

    bench.engine.endings = [DONE, DONE]
    with monkeypatch.context() as broken:
        broken.setattr(Store, "record_results", locked)
        with pytest.raises(StoreUnavailable):
            runner.run_all()
    assert bench.job.state is State.RUNNING
    assert runner.run_all() == 1
    assert (bench.job.state, bench.job.attempts, bench.current) == (State.DELIVERING, 1, ["sr"])


def remove_images(bench: Bench) -> None:
    """What retention does to the study's rows."""
    states = (State.DELIVERED, State.REJECTED)
    [study] = bench.store.keeping.studies(states)
    assert bench.store.keeping.mark(study, "older than 30 days", after(bench.second))
    bench.store.keeping.finish([one.path for one in bench.store.keeping.marked()], after(bench.second))


def test_a_late_image_of_a_study_whose_images_were_removed_changes_no_report(bench: Bench) -> None:
    bench.receive(20)
    bench.run(DONE)
    assert bench.send() == ["sr"]
    remove_images(bench)
    bench.receive(1, "")
    bench.run()
    assert bench.engine.asked[1:] == [], "neither an analysis nor a notice is asked for"
    assert bench.job.state is State.DELIVERING
    assert bench.job.reason.startswith("20 images that the report was made from are gone; the report stands")
    assert bench.send() == []
    assert (bench.job.state, bench.current) == (State.DELIVERED, ["sr"])


def test_a_late_image_of_a_rejected_study_whose_images_were_removed_is_not_read_alone(bench: Bench) -> None:
    bench.receive(20)
    bench.run(REJECTED)
    bench.send()
    remove_images(bench)
    bench.receive(1, "")
    bench.run()
    assert bench.job.state is State.REJECTED
    assert "send all of it again" in bench.job.reason
    assert bench.current == ["notice", "notice-page"]


def test_a_removed_study_that_is_sent_again_as_a_whole_is_read_anew(bench: Bench) -> None:
    sent = list(bench.waiting)
    bench.receive(24)
    bench.run(DONE)
    bench.send()
    remove_images(bench)
    bench.waiting = sent
    bench.receive(24, "other settings since")
    bench.run(DONE)
    assert len(bench.engine.asked) == 2


def test_the_same_reason_again_is_not_said_twice(bench: Bench) -> None:
    bench.receive(20)
    bench.run(REJECTED)
    first = bench.notice().SOPInstanceUID
    bench.receive(1)
    bench.run(REJECTED)
    assert bench.job.state is State.REJECTED
    assert bench.notice().SOPInstanceUID == first
    assert bench.send() == ["notice", "notice-page"], "it waited while the study was open"
    bench.receive(1)
    bench.run(replace(REJECTED, reason="another slice is missing"))
    assert bench.notice().SOPInstanceUID != first


def test_retry_sends_a_notice_again_that_was_refused(bench: Bench) -> None:
    bench.receive(20)
    bench.run(REJECTED)
    for delivery in bench.store.due_deliveries("pacs", after(bench.second)):
        refused = DeliveryOutcome(DeliveryState.FAILED, 0xA900, "class not accepted")
        bench.store.note_delivery(delivery.id, refused, after(bench.second))
    assert bench.store.counts().deliveries == {"failed": 2}
    assert bench.store.retry(bench.study, after(bench.second))
    bench.run(REJECTED)
    assert bench.send() == ["notice", "notice-page"]


def test_a_notice_that_cannot_be_made_leaves_the_reason_and_a_line_in_the_log(bench: Bench) -> None:
    bench.receive(24)
    bench.engine.notices_die = True
    with capture_logs() as log:
        bench.run(FAILED)
    assert (bench.job.state, bench.job.reason) == (State.FAILED, FAILED.reason)
    assert bench.current == []
    assert [line["log_level"] for line in log if line["event"] == "notice-not-made"] == ["error"]


def test_a_node_that_stops_during_a_notice_leaves_the_run_for_the_next_start(bench: Bench) -> None:
    bench.receive(24)
    bench.second += 10
    runner = bench.runner()
    bench.engine.endings, bench.engine.notices_die = [FAILED], True
    told = bench.engine.submit

    def stop_first(request: Request) -> AnalysisResult:
        if isinstance(request, NoticeRequest):
            runner.stop()
        return told(request)

    bench.engine.submit = stop_first  # type: ignore[method-assign]
    runner.run_all()
    assert bench.job.state is State.RUNNING
    assert bench.store.reclaim(after(bench.second)) == 1


def test_what_is_not_the_images_own_raises_an_alarm_and_stays_here(bench: Bench) -> None:
    bench.receive(20)
    bench.run(DONE)
    bench.receive(1, "more images")
    with capture_logs() as log:
        bench.run(ALARM)
    assert (bench.job.state, bench.job.alarm) == (State.FAILED, ALARM.reason)
    assert [line["log_level"] for line in log if line["event"] == "identity-alarm"] == ["error"]
    assert bench.send() == [], "nor does the report that was waiting"
    bench.receive(1, "still more")
    bench.run(ALARM)
    assert bench.job.state is State.FAILED, "and again"
    bench.receive(1, "the last")
    bench.run(DONE)
    assert bench.send() == [], "a late image is no operator"
    assert bench.store.retry(bench.study, after(bench.second))
    assert bench.send() == ["sr"]


@pytest.mark.parametrize(
    ("death", "rung"),
    [
        (WorkerStarved("ended by SIGKILL"), Rung.FRUGAL),
        (WorkerDied("ended by SIGSEGV"), Rung.USUAL),
        (WorkerOverdue("too slow"), Rung.USUAL),
    ],
)
def test_only_a_run_that_died_for_want_of_memory_is_tried_again_with_less(
    bench: Bench, death: WorkerDied, rung: Rung
) -> None:
    bench.receive(24)
    bench.run(death, DONE)
    asked = [request.rung for request in bench.engine.asked if isinstance(request, AnalysisRequest)]
    assert asked == [Rung.USUAL, rung]


def test_a_site_that_does_without_the_framework_has_it_so_from_the_start(tmp_path: Path) -> None:
    for frugal, rung in ((True, LAST), (False, Rung.USUAL)):
        settings = Settings(data_dir=tmp_path, model=ModelSettings(frugal=frugal))
        assert run_settings(settings, EQUIPMENT).rung is rung


def test_runs_are_asked_for_as_the_site_computes(bench: Bench) -> None:
    bench.choices = replace(bench.choices, rung=LAST)
    bench.receive(24)
    bench.run(DONE)
    (request,) = (one for one in bench.engine.asked if isinstance(one, AnalysisRequest))
    assert request.rung is LAST
