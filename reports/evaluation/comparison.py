"""Several networks on the same studies: one table, one picture."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import median
from typing import Any

from models.evaluation.bootstrap import Estimate
from models.evaluation.curves import roc
from models.evaluation.figures import FIGURES
from models.evaluation.judgement import Judgement
from models.evaluation.pairs import Comparison
from reports.evaluation.chart import DASHES, GREY, INKS, chart, square
from reports.evaluation.record import plain, record
from reports.evaluation.subject import Subject, counts, method, table, written

PICTURE = "roc.png"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a network takes on this machine.

    Attributes:
        parameters: how many numbers it has.
        flops: floating-point operations for one study, as `models.evaluation.counting` counts them.
        seconds: of each of several studies, warm.
        peak_mb: the largest memory of a process that loaded it and answered, in 10^6 bytes.
    """

    parameters: int
    flops: int
    seconds: tuple[float, ...]
    peak_mb: float


@dataclass(frozen=True, slots=True, eq=False)
class Contestant:
    """A network in a comparison; `behind` is the first network minus this one, None for the first itself."""

    subject: Subject
    judgement: Judgement
    cost: Cost
    behind: Comparison | None


def comparison_page(contestants: Sequence[Contestant]) -> str:
    """The Markdown text."""
    return "\n".join((*_head(contestants), *_table(contestants), *_differences(contestants))) + "\n"


def comparison_picture(contestants: Sequence[Contestant]) -> bytes:
    """Every ROC curve in one PNG."""
    first = contestants[0]

    def draw(axes: Any) -> None:
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="dotted", linewidth=1)
        for number, one in enumerate(contestants):
            axes.plot(
                *roc(one.judgement.scored),
                color=INKS[number % len(INKS)],
                linestyle=DASHES[number // len(INKS) % len(DASHES)],
                linewidth=1.8,
                label=f"{one.subject.name}: {written(one.judgement.figures['auc'])}",
            )
        square(axes, "1 - specificity", "sensitivity")
        axes.legend(loc="lower right", frameon=False, fontsize=8, title="AUC")

    lines = counts(first.judgement.scored), first.subject.data
    return chart("Networks on the same studies", lines, _warning(contestants), draw)


def comparison_record(contestants: Sequence[Contestant]) -> dict[str, Any]:
    """For programs."""
    return {"networks": [_record(one) for one in contestants]}


def _record(one: Contestant) -> dict[str, Any]:
    cost = {
        "parameters": one.cost.parameters,
        "flops": one.cost.flops,
        "ms_per_study": 1000 * median(one.cost.seconds),
        "peak_mb": one.cost.peak_mb,
    }
    found = record(one.judgement, one.subject) | {"cost": cost}
    if one.behind is None:
        return found
    test: Mapping[str, Any] | None = None
    if one.behind.delong is not None:
        names = ("difference", "standard_error", "low", "high", "p_value")
        values = {name: getattr(one.behind.delong, name) for name in names}
        test = {name: value if isfinite(value) else None for name, value in values.items()}
    return found | {"first_minus_this": plain(one.behind.differences), "delong": test}


def _warning(contestants: Sequence[Contestant]) -> str:
    """The strongest of what must be said of each."""
    return max((one.subject.warning for one in contestants), key=len)


def _head(contestants: Sequence[Contestant]) -> Iterator[str]:
    first = contestants[0]
    scored = first.judgement.scored
    yield from (f"# {len(contestants)} networks: {scored.label_name}", "")
    yield from (f"**{_warning(contestants)}. Not for diagnosis.**", "")
    yield from (f"{counts(scored)}. {first.subject.data}.", "", f"![ROC curves]({PICTURE})", "")


def _table(contestants: Sequence[Contestant]) -> Iterator[str]:
    heads = ("network", *FIGURES.values(), "parameters", "GFLOP", "ms per study", "peak MB")
    rows = []
    for one in contestants:
        figures = (written(one.judgement.figures[name]) for name in FIGURES)
        cost = one.cost
        numbers = (
            f"{cost.parameters:,}",
            f"{cost.flops / 1e9:.1f}",
            f"{1000 * median(cost.seconds):.0f}",
            f"{cost.peak_mb:.0f}",
        )
        rows.append((one.subject.line, *figures, *numbers))
    yield from table(heads, rows)
    runs = len(contestants[0].cost.seconds)
    yield from (
        "",
        method(contestants[0].judgement.resampling),
        "Operations are those of the kernels, two for each multiplication with its addition. Time is the "
        f"median of {runs} warm answers, each network in a process of its own; memory is its peak, "
        "the framework included.",
        "",
    )


def _differences(contestants: Sequence[Contestant]) -> Iterator[str]:
    first, *others = contestants
    yield from (f"## {first.subject.name} minus the others", "")
    rows = []
    for one in others:
        assert one.behind is not None
        test = one.behind.delong
        p_value = f"{test.p_value:.3g}" if test and isfinite(test.p_value) else "not tested"
        rows.append((one.subject.name, *map(written, _in_order(one.behind)), p_value))
    yield from table(("", *FIGURES.values(), "DeLong's p"), rows)
    methods = dict.fromkeys(one.behind.method for one in others if one.behind is not None)
    yield from ("", *(f"Differences by {method_}." for method_ in methods))


def _in_order(comparison: Comparison) -> Iterator[Estimate]:
    return (comparison.differences[name] for name in FIGURES)
