"""One benchmark in a process of its own, of this tree or of a copy with a brake in it.

Of its own, because what one has loaded and still holds would be in the figures of the next.
"""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bars import Bar, read

ROOT = Path(__file__).parents[1]
_PACKAGES = ("dicom_node", "models", "pipeline", "reports", "benchmarks")


@dataclass(frozen=True, slots=True)
class Brake:
    """Every call of `function` in the file `path` takes `seconds` more, of the processor if `busy`."""

    path: str
    function: str
    seconds: float
    busy: bool = False

    @property
    def statement(self) -> str:
        """What takes the time, in one line."""
        if not self.busy:
            return f"__import__('time').sleep({self.seconds})"
        until = f"(spent := __import__('time').thread_time), spent() + {self.seconds}"
        return f"(lambda now, end: all(iter(lambda: now() < end, False)))({until})"


def measured(name: str, tree: Path = ROOT) -> list[Bar] | None:
    """The bars of the benchmark `name` of `tree`; None if it failed, having said why on stderr."""
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder, "bars.json")
        environment = {**os.environ, "PYTHONPATH": str(tree)}
        command = [sys.executable, "-m", "benchmarks.measured", name, str(into)]
        done = subprocess.run(command, cwd=tree, env=environment, check=False)  # noqa: S603 - ourselves
        return read(into.read_text(encoding="utf-8")) if done.returncode == 0 else None


@contextmanager
def slowed(brake: Brake) -> Iterator[Path]:
    """A copy of the tree with `brake` written into its source, so that every process of it is slowed.

    Raises:
        LookupError: there is no such function.
    """
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        for package in _PACKAGES:
            shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
        Path(folder, "shared").symlink_to(ROOT.parent / "shared")  # the real data lies beside the tree
        file = tree / brake.path
        file.write_text(_with_brake(file.read_text(encoding="utf-8"), brake), encoding="utf-8")
        yield tree


def _with_brake(source: str, brake: Brake) -> str:
    """`source` with a pause as the first statement of the function, after its docstring."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name == brake.function:
            first = node.body[1 if ast.get_docstring(node) and len(node.body) > 1 else 0]
            lines = source.splitlines(keepends=True)
            pause = f"{' ' * first.col_offset}{brake.statement}\n"
            return "".join([*lines[: first.lineno - 1], pause, *lines[first.lineno - 1 :]])
    raise LookupError(f"{brake.path} has no function {brake.function}")
