"""The worker process from inside and outside: its outcomes, its protocol, its end."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dicom_node.analysis.engine import AnalysisResult
from dicom_node.analysis.worker import outcome, peak_rss_mb
from dicom_node.errors import Misattributed
from models import ContractViolation, InferenceFailed, WeightsCorrupt
from pipeline import ContradictoryStudy, IncompleteCine, NoCine, UnreadableInstance
from reports import Cause, ReportError

WORKER = [sys.executable, "-m", "dicom_node.analysis.worker"]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (NoCine("no series is a short-axis cine"), "no_cine"),
        (IncompleteCine("slice 7 has no image"), "incomplete"),
        (ContradictoryStudy("two patients"), "contradictory"),
        (UnreadableInstance("a file is cut off"), "unreadable"),
        (ContractViolation("7 phases; at least 8 needed"), "contract"),
    ],
)
def test_images_that_cannot_be_analysed_are_rejected_with_their_sentence(
    error: Exception, cause: Cause
) -> None:
    assert outcome(error) == AnalysisResult("rejected", str(error), cause=cause)


def test_what_is_not_the_images_own_is_an_outcome_of_its_own() -> None:
    reason = "the sr names another patient than its images"
    assert outcome(Misattributed(reason)) == AnalysisResult("misattributed", reason)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (WeightsCorrupt("the weights are not the manifest's"), "the weights are not the manifest's"),
        (InferenceFailed("the answer is not a number"), "the answer is not a number"),
        (ReportError("no page fits"), "no page fits"),
        (
            OSError(5, "Input/output error", "x.dcm"),
            "a file could not be read or written: Input/output error (x.dcm)",
        ),
        (KeyError("Rows"), "unexpected KeyError: 'Rows'; the worker's log has more"),
    ],
)
def test_our_own_failures_are_failures_with_a_sentence(error: Exception, reason: str) -> None:
    assert outcome(error) == AnalysisResult("failed", reason)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_nobodys_fault_and_may_be_tried_again(number: int) -> None:
    assert outcome(OSError(number, "no room", "x.dcm")).outcome == "no_room"


def test_an_image_nested_too_deeply_is_the_images_fault() -> None:
    assert outcome(RecursionError()).outcome == "rejected"


def test_nothing_a_library_prints_comes_between_answers() -> None:
    script = (
        "import ctypes, os, subprocess, sys\n"
        "from dicom_node.analysis.worker import private_stdout\n"
        "answers = private_stdout()\n"
        "print('python noise', flush=True)\n"
        "os.write(1, b'descriptor noise\\n')\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.puts(b'library noise')\n"
        "libc.fflush(None)\n"
        "subprocess.run(['/bin/echo', 'child noise'], check=True)\n"
        "answers.write('answer\\n')\n"
        "answers.flush()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "answer\n"
    for noise in ("python", "descriptor", "library", "child"):
        assert f"{noise} noise\n" in done.stderr


def test_the_worker_answers_nonsense_and_goes_on_until_its_input_ends(tmp_path: Path) -> None:
    done = subprocess.run(
        [*WORKER, "--bundle", str(tmp_path)],
        input="this is not a request\n{}\n",
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    loading, *answers = done.stdout.splitlines()
    assert loading == '{"event":"ready"}'
    results = [AnalysisResult.from_json(answer) for answer in answers]
    assert [result.outcome for result in results] == ["failed", "failed"]
    assert all("unexpected ValidationError" in result.reason for result in results)
    assert all(0 < result.peak_rss_mb < 1000 for result in results)
    assert "manifest.json cannot be read" in done.stderr


@pytest.mark.parametrize(("words", "nicer"), [([], 10), (["--background"], 19)])
def test_reception_goes_before_the_worker_and_every_other_process_before_a_shadow(
    words: list[str], nicer: int
) -> None:
    with subprocess.Popen(
        [*WORKER, "--cold", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(b"{}\n")
        worker.stdin.flush()
        worker.stdout.readline()
        own = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, worker.pid) == min(19, own + nicer)
        worker.stdin.close()
        assert worker.wait(30) == 0


def test_the_peak_memory_is_this_process_own() -> None:
    before = peak_rss_mb()
    block = bytearray(64_000_000)
    block[::4096] = b"\1" * len(block[::4096])
    assert peak_rss_mb() >= before
    assert peak_rss_mb() > 64
