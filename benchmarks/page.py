"""The page of one benchmark: a table of its bars, what there is to say of them, and the machine."""

import statistics
from collections.abc import Sequence

from benchmarks.bars import Bar

_HEAD = (
    "| what | against | unit | ours | theirs | ratio | wanted | |",
    "| --- | --- | --- | ---: | ---: | ---: | ---: | --- |",
)


def page(about: str, bars: Sequence[Bar], machine: str) -> str:
    """Markdown; the first line of `about`, a docstring, is the heading."""
    heading, _, rest = about.strip().partition("\n")
    notes = "\n".join(dict.fromkeys(f"- {bar.what}: {bar.note}" for bar in bars if bar.note))
    said = (f"# {heading.removesuffix('.')}", rest.strip(), table(bars), notes, f"{machine}.", _FOOT)
    return "\n\n".join(part for part in said if part) + "\n"


def table(bars: Sequence[Bar]) -> str:
    """One row a bar: medians, with minimum and maximum in brackets."""
    return "\n".join([*_HEAD, *map(_row, bars)])


def verdict(bar: Bar) -> str:
    """In one word."""
    return "met" if bar.met else "**missed**"


def _row(bar: Bar) -> str:
    sign = "≥" if bar.better == "higher" else "≤"
    theirs = "" if bar.absolute else _spread(bar.theirs)
    ratio = "" if bar.absolute else f"{bar.ratio:.2f}"
    wanted = f"{sign} {bar.wanted:g}" + (f" {bar.unit}" if bar.absolute else "")
    cells = (bar.what, bar.against, bar.unit, _spread(bar.ours), theirs, ratio, wanted, verdict(bar))
    return f"| {' | '.join(cells)} |"


def _spread(runs: Sequence[float]) -> str:
    if len(runs) == 1:
        return _number(runs[0])
    return f"{_number(statistics.median(runs))} [{_number(min(runs))}-{_number(max(runs))}]"


def _number(value: float) -> str:
    """Three digits that count."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


_FOOT = "Written by `make bench`. Ratios hold from machine to machine; seconds do not."
