"""The outcomes as the page `docs/results.md`."""

from collections.abc import Iterable, Sequence
from typing import Final

from models.evaluation.bootstrap import Estimate
from models.evaluation.scored import Scored
from models.reference.figures import bars, kind_auc, site_auc, site_gap, whole
from models.reference.outcome import Outcome
from pipeline.phantom import Kind

COMMAND: Final = "make results"
_LESIONS: Final = tuple(kind.value for kind in Kind if kind.scarred)
_CONFOUNDERS: Final = tuple(kind.value for kind in Kind if not kind.scarred)

_HEAD: Final = f"""# Reference results: PHANTOM

Every figure here was measured on **simulated hearts**, and none says anything about patients. The cohort is
small and its images are coarse, so that everybody can repeat it on a processor (`{COMMAND}`, which goes on
where it was cut off). The tables compare networks under one budget, the same small number of epochs and the
same learning rate, without augmentation; they do not say what any of them could reach with more of either.
"""
_WHO: Final = """
## Eight networks, one cohort

All learned from the same training hearts, were stopped and given their threshold (Youden's J) on the same
validation hearts, and answered the same test hearts once. In brackets: 95 % intervals from 2,000 bootstrap
resamples of the test patients; they say nothing of how another seed of training would come out. The last two
rows are no networks: they know one simple measure of the images each. Their odds are fitted to the test
studies themselves, which makes the bar a little high ([ADR 0014](adr/0014-a-bar-set-high.md)).
"""
_KINDS: Final = """
### Which lesion is seen, which confounder misleads

The first three columns are AUCs of lesions of one kind against all hearts without a lesion; the last three
of all lesions against hearts of one kind without. 0.5 is chance; below it, the confounder scores higher than
lesions do. `motion-only` moves less and looks like any wall; `texture-only` is brighter and moves like its
healthy twin; `low-ef` contracts little all over; `wma` is apical ballooning, which differs from a lesion by
its shape alone ([ADR 0016](adr/0016-phantoms-that-mislead.md) says what can be told apart, and by what).
"""
_BAND: Final = """
## A short cut beside the heart

At site B (four hearts in five) a bright band beside the heart goes with the lesion in 95 of 100 hearts; at
site A it goes with nothing. A wide crop shows the band, the tight one does not. The balancing options are
those of `dicom-node train --balance --group-by`: by site, which leaves the band worth something in the sum of
all; by the band itself; or by band and answer (`--each-answer`). A gap above 0 means that site A is served
worse ([ADR 0018](adr/0018-what-balancing-can-do.md)).
"""
_ORDER: Final = """
## Cycles played backwards

Each test heart twice, forwards and backwards, from the same frames. A network that is blind to the order of
frames gives both the same score, and its AUC is 0.5 exactly.
"""


def document(outcomes: Sequence[Outcome], missing: Sequence[str] = (), remark: str = "") -> str:
    """The page, in Markdown; `missing` names the trials that are not done yet, `remark` is the author's."""
    compared = _of(outcomes, "lesions-")
    parts = [_HEAD, _provenance(outcomes), *([f"{remark}\n"] if remark else [])]
    if missing:
        parts.append(f"Not done yet, so not on this page: {', '.join(missing)}.\n")
    if compared:
        parts += [_WHO, _size(compared[0]), _compared(compared), _KINDS, _by_kind(compared)]
    if banded := _of(outcomes, "banded-"):
        parts += [_BAND, _size(banded[0]), _banded(banded)]
    if played := _of(outcomes, "backwards-"):
        parts += [_ORDER, _size(played[0]), _played(played)]
    return "\n".join(parts)


def _of(outcomes: Sequence[Outcome], prefix: str) -> list[Outcome]:
    return [one for one in outcomes if one.trial.startswith(prefix)]


def _provenance(outcomes: Sequence[Outcome]) -> str:
    hours = sum(one.seconds for one in outcomes) / 3600
    told: dict[str, list[str]] = {"trainings": [str(len(outcomes))], "hours of training": [f"{hours:.2f}"]}
    for one in outcomes:
        for name, value in one.made_with.items():
            if value not in told.setdefault(name, []):
                told[name].append(value)
    return _table(("", ""), [(name, ", ".join(values)) for name, values in told.items()])


def _size(outcome: Outcome) -> str:
    phases, slices, rows, columns = outcome.grid
    return (
        f"{outcome.sizes[0]} studies to learn from, {outcome.sizes[1]} to choose by, "
        f"{outcome.sizes[2]} to test on; "
        f"{phases} phases x {slices} slices x {rows} x {columns} pixels of {outcome.spacing_mm:g} mm.\n"
    )


def _compared(outcomes: Sequence[Outcome]) -> str:
    header = ("network", "parameters", "AUC", "sensitivity", "specificity", "epochs (kept)", "minutes")
    rows = [
        (
            f"`{one.architecture}`",
            f"{one.parameters:,}",
            *_whole(one.scored()),
            f"{one.epochs} ({one.best_epoch})",
            f"{one.seconds / 60:.1f}",
        )
        for one in outcomes
    ]
    simple = [(name, "2", *_whole(bar), "", "") for name, bar in bars(outcomes[0]).items()]
    return _table(header, [*rows, *simple])


def _by_kind(outcomes: Sequence[Outcome]) -> str:
    named = [(f"`{one.architecture}`", one.scored()) for one in outcomes]
    kinds = (*_LESIONS, *_CONFOUNDERS)
    rows = [
        (name, *(_told(kind_auc(scored, kind)) for kind in kinds))
        for name, scored in [*named, *bars(outcomes[0]).items()]
    ]
    return _table(("network", *kinds), rows)


def _banded(outcomes: Sequence[Outcome]) -> str:
    header = ("crop", "balance", "network", "AUC at A", "AUC at B", "gap, B minus A", "minutes")
    rows = []
    for one in outcomes:
        scored = one.scored()
        at_sites = (_told(site_auc(scored, site)) for site in ("A", "B"))
        side_mm = f"{one.grid[2] * one.spacing_mm:g} mm"
        told = (*at_sites, _told(site_gap(scored)), f"{one.seconds / 60:.1f}")
        rows.append((side_mm, one.balance, f"`{one.architecture}`", *told))
    return _table(header, rows)


def _played(outcomes: Sequence[Outcome]) -> str:
    rows = [
        (f"`{one.architecture}`", _told(whole(one.scored())["auc"]), f"{one.seconds / 60:.1f}")
        for one in outcomes
    ]
    return _table(("network", "AUC", "minutes"), rows)


def _whole(scored: Scored) -> tuple[str, ...]:
    return tuple(_told(figure) for figure in whole(scored).values())


def _told(figure: Estimate) -> str:
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
