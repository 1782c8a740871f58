"""strace as a peer: it sees what a process asks of the system, and can have that fail or take its time."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers.presence import missing, program


@contextmanager
def traced(pid: int, log: Path, *expressions: str) -> Iterator[Path]:
    """A process with all its threads under strace's `-e` expressions while the block runs; `log` is its log."""
    wanted = [word for expression in expressions for word in ("-e", expression)]
    command = [program("strace"), "-f", *wanted, "-o", str(log), "-p", str(pid)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    if "attached" not in (said := tracer.stderr.readline()):
        tracer.communicate()
        missing(f"processes may not be traced here: {said.strip()}")
    try:
        yield log
    finally:
        tracer.terminate()
        tracer.communicate()
