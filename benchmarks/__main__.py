"""`python -m benchmarks [NAME ...]`: measure all or some, and write benchmarks/results/NAME.md."""

import argparse
import ast
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.bars import Bar
from benchmarks.machine import machine
from benchmarks.page import page, table
from benchmarks.self_check import self_check
from benchmarks.tree import measured

FOLDER = Path(__file__).parent


def benchmarks() -> list[str]:
    """The modules here that measure something; told by their text, for importing all of them takes long."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py"))}
    return [name for name, text in texts.items() if "\ndef measure() -> list[Bar]:" in text]


def main() -> None:
    """Measure what is asked for; exit with 1 if something failed, or with --strict if a bar is missed."""
    asked = _arguments(sys.argv[1:])
    names = asked.names or benchmarks()
    if asked.self_check:
        sys.exit(0 if self_check(names, _say) else 1)
    outcomes = [_run(name, asked.results) for name in names]
    _say(f"{sum(outcome is not None for outcome in outcomes)} of {len(names)} benchmarks ran")
    sys.exit(exit_code(outcomes, strict=asked.strict))


def exit_code(outcomes: Sequence[list[Bar] | None], *, strict: bool) -> int:
    """1 if a benchmark failed (None), or if `strict` and a bar is missed; else 0."""
    missed = any(not bar.met for bars in outcomes for bar in bars or ())
    return int(None in outcomes or (strict and missed))


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *benchmarks()], help="default: all")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a bar is missed")
    parser.add_argument("--self-check", action="store_true", help="is a slowed build noticed?")
    parser.add_argument("--results", type=Path, default=FOLDER / "results", help="where the pages go")
    return parser.parse_args(words)


def _run(name: str, results: Path) -> list[Bar] | None:
    _say(f"{name}: measuring")
    before, begun = machine(), time.monotonic()
    bars = measured(name)
    if bars is None:
        _say(f"{name}: FAILED")
        return None
    about = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))) or name
    results.mkdir(parents=True, exist_ok=True)
    (results / f"{name}.md").write_text(page(about, bars, before), encoding="utf-8")
    met = sum(bar.met for bar in bars)
    _say(f"{table(bars)}\n{name}: {met} of {len(bars)} bars met, {time.monotonic() - begun:.0f} s")
    return bars


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
