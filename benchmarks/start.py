"""How long a person waits for a command that only says something.

The whole process, Python's own start included, with modules compiled beforehand as an installation has them.
`status` opens the database of a node.
"""

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.bars import Bar
from benchmarks.timing import timed
from benchmarks.tree import Brake

BRAKE = Brake("dicom_node/cli/__init__.py", "main", 0.5)
_RUNS = 9
_LIMIT_S = 0.4
_BARE = "python -c pass"


def measure() -> list[Bar]:
    """`--version`, `--help` and `status` against the clock; what Python alone takes is said beside them."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.yaml").write_text("data_dir: data\n", encoding="utf-8")
        ways = {word: partial(_node, folder, word) for word in ("--version", "--help", "status")}
        _node(folder, "db", "upgrade")
        taken = timed({**ways, _BARE: partial(_run, folder, "-c", "pass")}, _RUNS)
    bare = f"Python alone: {min(taken.pop(_BARE)):.3f} s"
    return [
        Bar(f"dicom-node {word}", "the clock", "s", runs, (1.0,), _LIMIT_S, "lower", bare)
        for word, runs in taken.items()
    ]


def _node(folder: str, *words: str) -> None:
    _run(folder, "-m", "dicom_node", *words)


def _run(folder: str, *words: str) -> None:
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, *words], cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True
    )
