"""The bench tells a missed bar from a met one, and notices a slowed build."""

import subprocess
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.__main__ import benchmarks, exit_code
from benchmarks.bars import Bar, read, written
from benchmarks.page import page, table
from benchmarks.self_check import newly_missed
from benchmarks.tree import Brake, slowed

RATE = Bar("receive", "a peer", "images/s", (80.0, 90.0, 85.0), (100.0, 100.0, 110.0), 0.8, "higher")
START = Bar("--help", "a number", "s", (0.1, 0.3, 0.2), (1.0,), 0.25, "lower", "cold")


@pytest.mark.parametrize(
    ("bar", "met"),
    [
        (RATE, True),
        (replace(RATE, wanted=0.86), False),
        (replace(RATE, better="lower"), False),
        (START, True),
        (replace(START, wanted=0.19), False),
    ],
)
def test_a_bar_holds_the_ratio_of_the_medians_against_what_is_wanted(bar: Bar, met: bool) -> None:
    assert bar.met is met
    assert ("**missed**" in table([bar])) is not met


def test_a_missed_bar_fails_the_bench_only_when_it_is_strict() -> None:
    missed = [START, replace(RATE, wanted=0.9)]
    assert exit_code([missed], strict=True) == 1
    assert exit_code([missed], strict=False) == 0
    assert exit_code([[START, RATE]], strict=True) == 0


def test_a_benchmark_that_did_not_run_fails_the_bench() -> None:
    assert exit_code([[START], None], strict=False) == 1


def test_the_page_gives_the_median_and_the_spread_of_both_sides() -> None:
    text = page("How fast.\n\nOn what.", [RATE, START], "A machine")
    assert text.startswith("# How fast\n\nOn what.\n\n| what |")
    assert "| receive | a peer | images/s | 85 [80-90] | 100 [100-110] | 0.85 | ≥ 0.8 | met |" in text
    assert "| --help | a number | s | 0.2 [0.1-0.3] |  |  | ≤ 0.25 s | met |" in text
    assert "- --help: cold\n\nA machine." in text


def test_bars_come_through_a_file_as_they_were() -> None:
    assert read(written([RATE, START])) == [RATE, START]


def test_only_a_bar_that_was_met_before_tells_a_slowed_build() -> None:
    late = replace(START, ours=(2.0,))
    assert newly_missed([START, RATE], [late, RATE]) == [late]
    assert newly_missed([late], [late]) == []
    assert newly_missed([START], []) == []


def test_the_brake_slows_the_function_in_a_copy_and_leaves_ours_alone() -> None:
    brake = Brake("dicom_node/delivery/back_off.py", "back_off", 12.5)
    with slowed(brake) as tree:
        changed = subprocess.run(
            ["diff", "-r", "-x", "__pycache__", "dicom_node", tree / "dicom_node"],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    added = [line for line in changed.splitlines() if line.startswith(("<", ">"))]
    assert added == [">     __import__('time').sleep(12.5)"]


def test_a_busy_brake_takes_the_processor_and_a_resting_one_the_time() -> None:
    for busy in (False, True):
        begun, spent = time.monotonic(), time.thread_time()
        exec(Brake("", "", 0.05, busy=busy).statement)
        assert time.monotonic() - begun >= 0.05
        assert (time.thread_time() - spent >= 0.05) == busy


def test_every_benchmark_of_the_node_has_a_brake() -> None:
    without = [name for name in benchmarks() if not hasattr(import_module(f"benchmarks.{name}"), "BRAKE")]
    assert without == ["training"], "its steps are compiled: no function of ours is called in them"


def test_a_brake_on_nothing_is_an_error() -> None:
    with pytest.raises(LookupError, match="no function"), slowed(Brake("dicom_node/jobs.py", "gone", 1.0)):
        pass


def test_every_benchmark_is_found_by_its_name() -> None:
    assert "reports" in benchmarks()
    assert not {"bars", "timing", "plain_sr", "tree"} & set(benchmarks())
