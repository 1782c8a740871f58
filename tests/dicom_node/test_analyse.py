"""The whole story of a study, on real studies and on phantoms, with the weights that ship."""

import io
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from dicom_node.analysis.analyse import Analysis, analyse
from dicom_node.analysis.attribution import Identity, refuse_misattribution, refuse_strangers
from dicom_node.analysis.engine import AnalysisRequest
from dicom_node.analysis.results import write_results
from dicom_node.analysis.worker import Worker
from dicom_node.analysis.worker_engine import WorkerEngine
from dicom_node.config_sections import LogSettings, ModelSettings
from dicom_node.errors import Misattributed, WorkerDied
from models import ContractViolation, ModelAdapter, load_bundle
from models.adapter import BundleAdapter
from models.manifest import SHIPPED
from pipeline import (
    ContradictoryStudy,
    IncompleteCine,
    InputContract,
    NoCine,
    VoxelMemory,
    assemble,
    find_stack,
    read_study,
)
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from reports import Equipment, PriorReport, Report, sr_text

pytestmark = pytest.mark.slow

EQUIPMENT = Equipment("dicom-node project", "dicom-node", "0.1.0", "0001", "DICOMNODE")


@pytest.fixture(scope="module")
def model() -> ModelAdapter:
    return load_bundle(None)


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A small study of 8 slices x 12 phases, one file per image, slices slowest."""
    folder = tmp_path_factory.mktemp("phantom")
    seen = render(draw_heart(7), Scan(slices=8, phases=12, matrix=(64, 64), spacing_mm=3.0))
    return sorted(write_dicom(seen, folder, Layout.GE))


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WorkerEngine, threading.Event]]:
    """A worker process of its own, and an event that is set when it begins to analyse."""
    analysing = threading.Event()

    def hear(event: str) -> None:
        if event == "analysing":
            analysing.set()

    log = tmp_path_factory.mktemp("worker") / "worker.log"
    engine = WorkerEngine(ModelSettings(), LogSettings(), stderr=log, on_event=hear)
    yield engine, analysing
    engine.close()


@pytest.fixture(scope="module")
def reported(phantom: list[Path], tmp_path_factory: pytest.TempPathFactory, model: ModelAdapter) -> Analysis:
    """The phantom's analysis."""
    return analyse(request(phantom, tmp_path_factory.mktemp("reported")), model)


def request(files: list[Path], folder: Path, **changes: object) -> AnalysisRequest:
    uid = str(dcmread(files[0], stop_before_pixels=True).StudyInstanceUID)
    now = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
    asked = AnalysisRequest(uid, tuple(files), folder / "results", now, EQUIPMENT)
    return replace(asked, **changes)  # type: ignore[arg-type]


def assert_belongs_to(analysis: Analysis, source: Path, slices: int) -> None:
    kinds = [report.kind for report in analysis.reports]
    assert kinds == ["sr", "text", "summary", *["attention"] * slices]
    header = dcmread(source, stop_before_pixels=True)
    for report in analysis.reports:
        assert report.dataset.StudyInstanceUID == header.StudyInstanceUID
        assert str(report.dataset.PatientID or "") == str(header.PatientID or "")


@pytest.mark.data
def test_a_siemens_study_of_one_series_per_slice_is_reported_as_6_x_25(
    bivme: list[Path], tmp_path: Path, model: ModelAdapter
) -> None:
    analysis = analyse(request(bivme, tmp_path), model)
    assert_belongs_to(analysis, bivme[0], slices=6)
    assert analysis.findings.completeness == "6 slices x 25 phases, complete"
    assert analysis.findings.model == model.identity
    text = sr_text(analysis.reports[0].dataset)
    assert "DEMONSTRATION WEIGHTS" in text
    assert "6 slices x 25 phases" in text


@pytest.mark.data
def test_a_worker_killed_in_the_middle_of_a_real_study_reports_it_at_the_next_try(
    sunnybrook: Callable[[str], list[Path]], tmp_path: Path, warm: tuple[WorkerEngine, threading.Event]
) -> None:
    engine, analysing = warm
    files = sunnybrook("SC-HF-I-4")

    def kill() -> None:
        assert analysing.wait(120)
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(WorkerDied, match="SIGKILL"):
        engine.submit(request(files, tmp_path))
    killer.join()
    assert not (tmp_path / "results").exists()
    result = engine.submit(request(files, tmp_path))
    assert result.outcome == "done", result.reason
    assert result.findings is not None
    assert result.findings.completeness == "10 slices x 20 phases, complete"
    assert [file.kind for file in result.files] == ["sr", "text", "summary", *["attention"] * 10]
    assert 0 < result.peak_rss_mb < 1500
    report = dcmread(tmp_path / "results" / result.files[0].path)
    header = dcmread(files[0], stop_before_pixels=True)
    assert report.StudyInstanceUID == header.StudyInstanceUID
    assert report.PatientID == header.PatientID


def test_two_processes_write_the_same_bytes(
    phantom: list[Path],
    tmp_path: Path,
    reported: Analysis,
    warm: tuple[WorkerEngine, threading.Event],
) -> None:
    there = warm[0].submit(request(phantom, tmp_path))
    assert there.files == write_results(reported.reports, tmp_path / "here")


def test_a_model_is_loaded_once_and_again_when_its_bundle_changes(
    phantom: list[Path], tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(SHIPPED, bundle)
    asked = request(phantom, tmp_path, bundle=bundle).as_json().encode()
    answers = io.StringIO()
    worker = Worker(answers)
    worker.serve([asked, asked])
    manifest = json.loads((bundle / "manifest.json").read_text())
    (bundle / "manifest.json").write_text(json.dumps(manifest | {"version": "next"}))
    worker.serve([asked])
    said = [json.loads(line) for line in answers.getvalue().splitlines()]
    assert [line.get("event", "answer") for line in said] == [
        *("loading", "analysing", "answer"),
        *("analysing", "answer"),
        *("loading", "analysing", "answer"),
    ]
    versions = [line["findings"]["model"]["version"] for line in said if "findings" in line]
    assert versions == [manifest["version"], manifest["version"], "next"]


class Watched(VoxelMemory):
    """Says where each volume lay."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[int] = []

    def room_for(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        voxels = super().room_for(shape)
        self.addresses.append(voxels.__array_interface__["data"][0])
        return voxels


def test_of_a_study_that_was_read_nobody_keeps_the_voxels(
    phantom: list[Path], model: ModelAdapter, tmp_path: Path
) -> None:
    memory = Watched()
    kept = [analyse(request(phantom, tmp_path), model, memory=memory) for _ in range(2)]
    assert memory.addresses[0] == memory.addresses[1], "the reports hold no view of them"
    assert kept[0].findings == kept[1].findings


def test_a_superseded_report_is_named(
    phantom: list[Path], tmp_path: Path, model: ModelAdapter, reported: Analysis
) -> None:
    prior = PriorReport("1.2.840.10008.5.1.4.1.1.88.34", "2.25.77", "2.25.78")
    second = analyse(request(phantom, tmp_path, priors=(prior,)), model).reports[0].dataset
    assert second.SOPInstanceUID != reported.reports[0].dataset.SOPInstanceUID
    series = second.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "2.25.77"


def test_a_hole_is_rejected_unless_site_and_model_allow_it(
    phantom: list[Path], tmp_path: Path, model: ModelAdapter
) -> None:
    files = phantom[:17] + phantom[18:]
    with pytest.raises(IncompleteCine, match="8 slices x 12 phases, missing: slice"):
        analyse(request(files, tmp_path, allow_incomplete=False), model)
    with pytest.raises(ContractViolation, match=r"^ST-RAN cannot read this study: 1\.0% of the planes"):
        analyse(request(files, tmp_path), with_contract(model, InputContract(max_filled=0.0)))
    analysis = analyse(request(files, tmp_path), with_contract(model, InputContract(max_filled=0.1)))
    assert analysis.findings.remarks[0] == "1 of 96 planes are interpolated in time."
    assert "1 of 96 planes are interpolated in time." in sr_text(analysis.reports[0].dataset)


def test_files_of_another_study_are_not_analysed(
    phantom: list[Path], tmp_path: Path, model: ModelAdapter
) -> None:
    with pytest.raises(Misattributed, match="say that they belong to another"):
        analyse(request(phantom, tmp_path, study_instance_uid="1.2.3"), model)


def test_images_of_two_patients_in_one_study_are_not_analysed(
    phantom: list[Path], tmp_path: Path, model: ModelAdapter
) -> None:
    stranger = dcmread(phantom[40])
    stranger.PatientID = "SOMEONE-ELSE"
    stranger.save_as(tmp_path / "stranger.dcm")
    files = [*phantom[:40], tmp_path / "stranger.dcm", *phantom[41:]]
    with pytest.raises(ContradictoryStudy, match="patients"):
        analyse(request(files, tmp_path), model)


def test_a_study_without_cine_is_not_analysed(
    phantom: list[Path], tmp_path: Path, model: ModelAdapter
) -> None:
    with pytest.raises(NoCine):
        analyse(request(phantom[:1], tmp_path), model)


def test_a_volume_that_claims_another_identity_is_refused(phantom: list[Path]) -> None:
    study = read_study(phantom)
    volume = assemble(study, find_stack(study.facts), allow_missing=False)
    header = study.instances[0].header
    assert refuse_strangers(study, volume) == Identity(
        header.PatientID, study.uid, header.FrameOfReferenceUID
    )
    with pytest.raises(Misattributed, match="images of another study"):
        refuse_strangers(study, replace(volume, study_instance_uid="1.2.3"))
    with pytest.raises(Misattributed, match="frame of reference that none of its images has"):
        refuse_strangers(study, replace(volume, frame_of_reference_uid="1.2.3"))
    study.instances[-1].header.PatientName = "Somebody^Else"
    with pytest.raises(ContradictoryStudy, match="name 2 patients"):
        refuse_strangers(study, volume)


@pytest.mark.parametrize(
    "stray", ["1.2.3\x07.4", "1.2.3é", "1.2.3." + 300 * "4"], ids=["bell", "letter", "endless"]
)
def test_a_stray_byte_in_the_frame_of_reference_makes_nobody_a_stranger(
    phantom: list[Path], tmp_path: Path, stray: str
) -> None:
    value = stray.encode() + b"\0" * (len(stray.encode()) % 2)
    for file in phantom:
        dataset = dcmread(file)
        tag = Tag("FrameOfReferenceUID")
        dataset[tag] = RawDataElement(tag, "UI", len(value), value, 0, False, True)
        dataset.save_as(tmp_path / file.name)
    study = read_study(sorted(tmp_path.glob("*.dcm")))
    volume = assemble(study, find_stack(study.facts), allow_missing=False)
    assert refuse_strangers(study, volume).frame_of_reference_uid == volume.frame_of_reference_uid != ""


@pytest.mark.parametrize(
    ("keyword", "names"),
    [
        ("PatientID", "patient"),
        ("StudyInstanceUID", "study"),
        ("FrameOfReferenceUID", "frame of reference"),
    ],
)
@pytest.mark.parametrize("number", [0, -1])
def test_a_report_under_another_identity_is_never_written(
    reported: Analysis, keyword: str, names: str, number: int
) -> None:
    last = reported.reports[-1].dataset
    identity = Identity(last.PatientID, last.StudyInstanceUID, last.FrameOfReferenceUID)
    refuse_misattribution(reported.reports, identity)
    report = Report("it", deepcopy(reported.reports[number].dataset))
    _spoil(report.dataset, keyword)
    with pytest.raises(Misattributed, match=f"^the it names another {names} than its images"):
        refuse_misattribution([report], identity)


def _spoil(dataset: Dataset, keyword: str) -> None:
    """Another UID or ID, as deep in the object as it is said."""
    if keyword == "FrameOfReferenceUID" and keyword not in dataset:
        items = dataset.ContentSequence[-1].ContentSequence[0].ContentSequence
        [item] = [item for item in items if item.ValueType == "UIDREF"]
        item.UID = "1.2.3"
    elif keyword == "StudyInstanceUID" and dataset.Modality == "SR":
        dataset.CurrentRequestedProcedureEvidenceSequence[0].StudyInstanceUID = "1.2.3"
    else:
        setattr(dataset, keyword, "1.2.3")


def with_contract(model: ModelAdapter, contract: InputContract) -> ModelAdapter:
    assert isinstance(model, BundleAdapter)
    return replace(model, manifest=replace(model.manifest, contract=contract))
