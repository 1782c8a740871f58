"""The engine seam: what crosses it, and what happens when the worker behind it dies."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dicom_node.analysis.engine import AnalysisRequest, AnalysisResult
from dicom_node.analysis.findings import Findings, VolumeFound
from dicom_node.analysis.results import ResultFile
from dicom_node.analysis.worker_engine import WorkerEngine
from dicom_node.analysis.worker_process import WorkerProcess
from dicom_node.config_sections import LogSettings, ModelSettings
from dicom_node.errors import WorkerDied
from dicom_node.installation import Installation
from models import ModelIdentity
from reports import Equipment, PriorReport
from tests.peers.presence import until

FOR_EVER = time.monotonic() + 3600


def request(folder: Path, bundle: Path | None) -> AnalysisRequest:
    return AnalysisRequest(
        study_instance_uid="1.2.3",
        paths=(folder / "a.dcm",),
        out_dir=folder / "results",
        now=datetime(2024, 5, 1, 12, 0, 1, 500, tzinfo=UTC),
        equipment=Equipment("Mäker", "node", "1.0", "0001", "NODE"),
        priors=(PriorReport("1.2", "1.3", "1.4"),),
        bundle=bundle,
        threshold=0.25,
    )


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WorkerEngine]:
    """A real worker that finds no model when it starts."""
    engine = WorkerEngine(
        ModelSettings(bundle=tmp_path / "none", deadline_s=60), LogSettings(), stderr=tmp_path / "worker.log"
    )
    yield engine
    engine.close()


@pytest.fixture
def stuck(tmp_path: Path) -> Path:
    """A bundle whose manifest is a pipe: whoever reads it waits, and whoever opens it to write knows."""
    folder = tmp_path / "stuck"
    folder.mkdir()
    os.mkfifo(folder / "manifest.json")
    return folder


def await_reader(bundle: Path) -> None:
    """Return when the worker has begun to read the manifest; it goes on waiting for what we never write."""

    def opened() -> bool:
        with contextlib.suppress(OSError):  # ENXIO: nobody reads yet
            os.open(bundle / "manifest.json", os.O_WRONLY | os.O_NONBLOCK)
            return True
        return False

    until(opened, "the worker reading the manifest")


def child(script: str, events: list[str] | None = None) -> WorkerProcess:
    """A process of ours that says what `script` says."""
    heard = [] if events is None else events
    return WorkerProcess([sys.executable, "-c", script], None, heard.append)


def test_requests_and_results_survive_the_wire(tmp_path: Path) -> None:
    asked = request(tmp_path, tmp_path / "bundle")
    assert AnalysisRequest.from_json(asked.as_json()) == asked
    assert "\n" not in asked.as_json()
    model = ModelIdentity("ST-RAN", "1", "stran", "ab", "cd", "Scar", "phantoms", True)
    volume = VolumeFound("ef", (20, 10, 64, 48), ("seen",), (), ((1, 2), (3, 4)), ("noted",), ("1.2", "1.3"))
    found = Findings(0.75, 0.5, "10 slices x 20 phases", ("a", "b"), volume, model)
    file = ResultFile("sr", "aa/bb/cc.dcm", "dd", 10, "1.2", "1.3", "1.4", "1.5")
    answer = AnalysisResult("done", "", found, (file,), 1.5, 900.0, Installation("host", version="1.0"))
    assert AnalysisResult.from_json(answer.as_json()) == answer


def test_a_real_worker_answers_and_stays(engine: WorkerEngine, tmp_path: Path) -> None:
    first = engine.submit(request(tmp_path, tmp_path / "absent"))
    pid = engine.pid
    second = engine.submit(request(tmp_path, tmp_path / "absent"))
    assert engine.pid == pid
    assert first.outcome == second.outcome == "failed"
    assert "manifest.json cannot be read" in second.reason


def test_a_worker_hears_no_ctrl_c_and_shares_our_part_of_the_cores() -> None:
    """Signals of a terminal go to a process group; Linux' autogroup, in which niceness counts, is a session."""
    process = child("import sys; sys.stdin.read()")
    try:
        assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
        assert os.getsid(process.pid) == os.getsid(0)
    finally:
        process.stop(grace_s=0.0)


def test_a_killed_worker_fails_that_run_only(engine: WorkerEngine, tmp_path: Path, stuck: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(engine.submit, request(tmp_path, stuck))
        await_reader(stuck)
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)
        with pytest.raises(WorkerDied, match=r"ended by SIGKILL without an answer; .* run out of memory"):
            running.result(timeout=60)
    assert engine.submit(request(tmp_path, tmp_path / "absent")).outcome == "failed"


def test_a_worker_past_its_deadline_is_ended_and_replaced(tmp_path: Path, stuck: Path) -> None:
    engine = WorkerEngine(ModelSettings(bundle=tmp_path / "none", deadline_s=0.01), LogSettings())
    try:
        engine.start()
        old = engine.pid
        with pytest.raises(WorkerDied, match="no answer before the deadline, and was ended"):
            engine.submit(request(tmp_path, stuck))
        assert engine.pid is None
        engine.start()
        assert engine.pid not in (None, old)
    finally:
        engine.close()


def test_closing_ends_a_run_under_way_and_says_why(engine: WorkerEngine, tmp_path: Path, stuck: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(engine.submit, request(tmp_path, stuck))
        await_reader(stuck)
        engine.close()
        with pytest.raises(WorkerDied, match="because the node is stopping"):
            running.result(timeout=60)
    with pytest.raises(WorkerDied, match="the engine is closed"):
        engine.submit(request(tmp_path, stuck))


def test_the_worker_is_heard_while_it_works(tmp_path: Path) -> None:
    events: list[str] = []
    process = child('print(\'{"event":"loading"}\'); print(\'{"event":"ready"}\'); print(\'{}\')', events)
    assert process.hear(FOR_EVER) == "{}\n"
    assert events == ["loading", "ready"]
    process.stop(grace_s=5.0)


def test_a_worker_that_leaves_by_itself_tells_its_exit_code() -> None:
    process = child("raise SystemExit(7)")
    with pytest.raises(WorkerDied, match="ended by itself with exit code 7"):
        process.hear(FOR_EVER)
    process.stop(grace_s=0.0)


def test_a_question_larger_than_the_pipe_blocks_nobody() -> None:
    process = child("import sys, signal; signal.pause()")
    process.ask("x" * 10_000_000)
    with pytest.raises(WorkerDied, match="deadline"):
        process.hear(time.monotonic())
    assert not process.alive


def test_an_idle_worker_leaves_when_its_input_is_closed() -> None:
    events: list[str] = []
    process = child('import sys; sys.stdin.read(); print(\'{"event":"bye"}\')', events)
    process.stop(grace_s=60.0)
    assert events == ["bye"]
