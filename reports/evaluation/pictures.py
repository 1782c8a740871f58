"""The pictures of one judgement."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from models.evaluation.curves import precision_recall, roc
from models.evaluation.judgement import Judgement
from reports.evaluation.chart import BLUE, GREY, ORANGE, chart, square
from reports.evaluation.subject import Subject, counts, written


def pictures(judgement: Judgement, subject: Subject) -> dict[str, bytes]:
    """Each picture's file name and its PNG bytes, in the order of the report."""
    drawn: dict[str, tuple[str, Callable[[Judgement, Any], None]]] = {
        "roc.png": (f"ROC: AUC {written(judgement.figures['auc'])}", _roc),
        "precision-recall.png": ("Precision and recall", _precision_recall),
        "calibration.png": (f"Calibration: ECE {written(judgement.figures['ece'])}", _calibration),
        "confusion.png": (f"Answers at the threshold {judgement.scored.threshold:.3f}", _confusion),
        "scores.png": ("Probabilities by answer", _scores),
    }
    lines = (subject.line, counts(judgement.scored), subject.data)
    return {
        name: chart(title, lines, subject.warning, partial(draw, judgement))
        for name, (title, draw) in drawn.items()
    }


def _roc(judgement: Judgement, axes: Any) -> None:
    figures = judgement.figures
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="dotted", label="chance")
    axes.plot(*roc(judgement.scored), color=BLUE, linewidth=2, label="network")
    sensitivity, specificity = figures["sensitivity"], figures["specificity"]
    axes.plot(1 - specificity.value, sensitivity.value, "D", color=ORANGE, label="operating point")
    axes.hlines(sensitivity.value, 1 - specificity.high, 1 - specificity.low, color=ORANGE)
    axes.vlines(1 - specificity.value, sensitivity.low, sensitivity.high, color=ORANGE)
    square(axes, "1 - specificity", "sensitivity")
    axes.legend(loc="lower right", frameon=False)


def _precision_recall(judgement: Judgement, axes: Any) -> None:
    scored, figures = judgement.scored, judgement.figures
    share = float(scored.label.mean())
    axes.axhline(share, color=GREY, linestyle="dotted", label=f"share of yes, {share:.2f}")
    axes.step(*precision_recall(scored), where="pre", color=BLUE, linewidth=2, label="network")
    axes.plot(figures["sensitivity"].value, figures["ppv"].value, "D", color=ORANGE, label="operating point")
    square(axes, "recall (sensitivity)", "precision (PPV)")
    axes.legend(loc="lower left", frameon=False)


def _calibration(judgement: Judgement, axes: Any) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="dotted", label="perfect")
    for point in judgement.calibration:
        axes.vlines(point.predicted, point.observed.low, point.observed.high, color=BLUE)
        axes.annotate(
            str(point.studies),
            (point.predicted, point.observed.value),
            (6, -10),
            textcoords="offset points",
            color=GREY,
        )
    places = [(point.predicted, point.observed.value) for point in judgement.calibration]
    axes.plot(*zip(*places, strict=True), "o-", color=BLUE, label="network, with studies per bin")
    square(axes, "mean probability of the bin", f"share of {judgement.scored.label_name}")
    axes.legend(loc="upper left", frameon=False)


def _confusion(judgement: Judgement, axes: Any) -> None:
    counts_ = judgement.confusion
    grid = np.array(
        [
            [counts_.true_negative, counts_.false_positive],
            [counts_.false_negative, counts_.true_positive],
        ]
    )
    shares = grid / grid.sum(axis=1, keepdims=True)
    axes.grid(visible=False)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(grid):
        ink = "white" if shares[row, column] > 0.55 else "black"
        told = f"{count}\n{shares[row, column]:.0%} of the row"
        axes.text(column, row, told, ha="center", va="center", color=ink, fontsize=15)
    axes.set_xticks([0, 1], ["called no", "called yes"])
    axes.set_yticks([0, 1], ["is no", "is yes"])


def _scores(judgement: Judgement, axes: Any) -> None:
    scored = judgement.scored
    kinds = {"no": (~scored.label, BLUE, None), "yes": (scored.label, ORANGE, "//")}
    bins = np.linspace(0, 1, 21).tolist()
    for name, (kind, ink, hatch) in kinds.items():
        axes.hist(
            scored.probability[kind],
            bins,
            histtype="stepfilled",
            alpha=0.45,
            color=ink,
            edgecolor=ink,
            hatch=hatch,
            label=f"{scored.label_name}: {name}",
        )
    axes.axvline(scored.threshold, color="black", label=f"threshold {scored.threshold:.3f}")
    axes.set(xlim=(0, 1), xlabel="probability", ylabel="studies")
    axes.legend(frameon=False)
