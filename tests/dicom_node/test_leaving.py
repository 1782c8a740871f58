"""A request to leave is never missed, whenever it comes."""

import subprocess
import sys

_PATIENCE_S = 30.0

_LEAVING = """
import os, signal, sys, threading, time
from dicom_node.leaving import until_asked_to_leave

def ask():
    time.sleep(float(sys.argv[1]))
    os.kill(os.getpid(), signal.SIGTERM)

with until_asked_to_leave() as wait:
    if sys.argv[2] == "early":
        os.kill(os.getpid(), signal.SIGTERM)
    else:
        threading.Thread(target=ask, daemon=True).start()
    wait()
    print("left")
"""


def _leave(after_s: float, when: str) -> str:
    command = [sys.executable, "-c", _LEAVING, str(after_s), when]
    return subprocess.run(command, capture_output=True, timeout=_PATIENCE_S, check=True, text=True).stdout


def test_a_signal_before_the_wait_counts() -> None:
    assert _leave(0, "early") == "left\n"


def test_a_signal_at_the_moment_the_wait_begins_counts() -> None:
    assert [_leave(moment * 2e-5, "late") for moment in range(12)] == ["left\n"] * 12
