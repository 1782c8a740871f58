"""A real worker under real limits of memory: down the ladder, and at its foot a clear failure."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dicom_node.analysis.engine import AnalysisRequest, AnalysisResult
from dicom_node.analysis.shortage import is_shortage
from dicom_node.analysis.worker_command import Places
from dicom_node.analysis.worker_engine import WorkerEngine
from dicom_node.config_sections import LogSettings, ModelSettings
from models import InferenceFailed, OutOfMemory, Rung
from models.ladder import REMARKS
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from reports import Equipment
from tests.e2e.node import study_uid

pytestmark = pytest.mark.slow

SMALL = Scan(slices=7, phases=10, matrix=(72, 72))
Ask = Callable[..., AnalysisResult]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """`asked(450)`: how a small study ends in a fresh worker that may take so many megabytes."""
    data = tmp_path_factory.mktemp("data")
    (data / "archive").mkdir()
    files = write_dicom(render(draw_heart(1), SMALL), data / "archive", Layout.SIEMENS)
    places = Places(data / "archive", data / "results", data / "scratch", data, data / "models")
    when = datetime(2024, 5, 1, 12, tzinfo=UTC)
    equipment = Equipment("M", "node", "1.0", "0001", "NODE")
    request = AnalysisRequest(study_uid(files), tuple(files), places.results, when, equipment)

    def ask(memory_mb: int, rung: Rung = Rung.USUAL) -> AnalysisResult:
        model = ModelSettings(memory_mb=memory_mb, deadline_s=120)
        engine = WorkerEngine(model, LogSettings(), places=places, stderr=data / "worker.log")
        try:
            return engine.submit(replace(request, rung=rung))
        finally:
            engine.close()

    return ask


def test_a_framework_that_finds_no_memory_is_done_without_and_the_reader_is_told(asked: Ask) -> None:
    result = asked(450)
    assert (result.outcome, result.reason, result.rung) == ("done", "", Rung.FRUGAL)
    assert result.findings is not None
    assert REMARKS[Rung.FRUGAL] in result.findings.remarks
    assert 0 < result.peak_rss_mb < 600


def test_at_the_foot_of_the_ladder_the_failure_names_the_limit(asked: Ask) -> None:
    result = asked(256, Rung.FRUGAL)
    assert (result.outcome, result.rung, result.below) == ("failed", Rung.FRUGAL, None)
    assert re.search(r"ran out of memory; .* or for model\.memory_mb", result.reason)


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (MemoryError(), True),
        (OutOfMemory("no"), True),
        (OSError(12, "Cannot allocate memory"), True),
        (ImportError("libtensorflow.so: failed to map segment from shared object"), True),
        (RuntimeError("Exception thrown in SimpleITK: Failed to allocate memory for image."), True),
        (RuntimeError("can't start new thread"), True),
        (InferenceFailed("the network failed with ValueError"), False),
        (ValueError("allocate"), False),
        (OSError(28, "No space left on device"), False),
    ],
)
def test_want_of_memory_is_told_from_other_trouble(error: Exception, short: bool) -> None:
    assert is_shortage(error) is short
    wrapped = InferenceFailed("wrapped")
    wrapped.__cause__ = error
    assert is_shortage(wrapped) is short
