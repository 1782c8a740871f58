"""`python -m benchmarks.measured NAME FILE`: run one benchmark in this process, its bars to FILE as JSON."""

import sys
from importlib import import_module
from pathlib import Path

from benchmarks.bars import written


def main() -> None:
    """Measure."""
    name, into = sys.argv[1:]
    bars = import_module(f"benchmarks.{name}").measure()
    Path(into).write_text(written(bars), encoding="utf-8")


if __name__ == "__main__":
    main()
