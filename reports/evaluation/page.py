"""The report on one network, in Markdown."""

from collections.abc import Iterator

from models.evaluation.figures import FIGURES
from models.evaluation.groups import BY_GROUP, FEWEST_PATIENTS, TOO_FEW
from models.evaluation.judgement import Judgement
from reports.evaluation.subject import Subject, counts, method, table, written

_MEASURES = (
    "*Ejection alone* counts bright voxels near the heart's middle, *motion alone* is how much voxels there "
    "change over the beat; each becomes a probability by a logistic regression fitted to these very studies, "
    "which favours it. A network that is not ahead of them may see how a heart beats, and no more."
)


def page(judgement: Judgement, subject: Subject, pictures: tuple[str, ...]) -> str:
    """The whole text; `pictures` are file names beside it."""
    parts = (
        _head(judgement, subject),
        _figures(judgement),
        _pictures(pictures),
        _baselines(judgement),
        _groups(judgement),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def _head(judgement: Judgement, subject: Subject) -> Iterator[str]:
    scored, model = judgement.scored, subject.model
    yield from (
        f"# {subject.name}: {scored.label_name}",
        "",
        f"**{subject.warning}. Not for diagnosis.**",
        "",
    )
    yield from table(
        ("", ""),
        (
            ("Model", subject.line),
            ("Weights", f"sha256 {model.weights_sha256}"),
            ("Trained to predict", model.label),
            ("Trained on", model.trained_on),
            ("Judged by", scored.label_name),
            ("Studies", counts(scored)),
            ("Data", subject.data),
            ("Threshold", f"{scored.threshold:.4f} ({subject.threshold_rule})"),
        ),
    )
    yield ""


def _figures(judgement: Judgement) -> Iterator[str]:
    yield from ("## Figures", "")
    rows = ((FIGURES[name], written(one), str(one.degenerate)) for name, one in judgement.figures.items())
    yield from table(("figure", "value (95 % interval)", "resamples without it"), rows)
    counted = judgement.confusion
    yield from (
        "",
        f"{counted.true_positive} true positives, {counted.false_positive} false positives, "
        f"{counted.false_negative} false negatives, {counted.true_negative} true negatives.",
        "",
        method(judgement.resampling),
        "",
    )


def _pictures(names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        yield from (f"![{name.removesuffix('.png').replace('-', ' and ')}]({name})", "")


def _baselines(judgement: Judgement) -> Iterator[str]:
    yield from ("## Beside simple motion", "")
    rows = [("network", *(written(judgement.figures[name]) for name in ("auc", "brier", "ece")), "")]
    for name, simple in judgement.baselines.items():
        figures = (written(simple.figures[figure]) for figure in ("auc", "brier", "ece"))
        rows.append((name.lower(), *figures, written(simple.behind.differences["auc"])))
    yield from table(("", "AUC", "Brier score", "ECE", "the network's AUC minus this"), rows)
    yield from ("", _MEASURES, "")


def _groups(judgement: Judgement) -> Iterator[str]:
    if not judgement.groups:
        return
    yield from ("## By group", "")
    heads = ("", "group", "studies", "patients", "yes", *(FIGURES[name] for name in BY_GROUP))
    rows = []
    for one in judgement.groups:
        said = [TOO_FEW, *[""] * (len(BY_GROUP) - 1)]
        if one.conclusive:
            said = [written(one.figures[name]) for name in BY_GROUP]
        rows.append((one.of, one.name, str(one.studies), str(one.patients), str(one.positives), *said))
    yield from table(heads, rows)
    yield from ("", f"Nothing is concluded on fewer than {FEWEST_PATIENTS} patients.", "")
    if not judgement.gaps:
        yield from ("No property has two groups of which something can be said: there is no gap to show.", "")
        return
    gaps = (
        (gap.of, FIGURES[gap.figure], gap.best, gap.worst, written(gap.difference)) for gap in judgement.gaps
    )
    yield from table(("", "figure", "best group", "worst group", "gap"), gaps)
    yield from (
        "",
        "Best and worst were chosen by looking: some gap is always found, the interval judges it.",
    )
