"""A bundle's model card: what the manifest knows, for people."""

from collections.abc import Mapping
from typing import Any, Final

from models.examples import Examples
from models.explanation.method import NAMES
from models.manifest import Manifest
from models.training.course import Course
from models.training.plan import TrainingPlan
from models.training.splits import Split

CARD_NAME: Final = "card.md"
_BALANCED: Final = {
    "none": "not balanced",
    "oversample": "batches with equally many studies of each group, drawn with replacement",
    "reweigh": "each study's loss weighted so that groups weigh the same in each answer",
    "groupdro": "Group DRO: the worse a group's loss, the more it counts",
}


def write_card(
    manifest: Manifest, plan: TrainingPlan, examples: Examples, split: Split, course: Course
) -> str:
    """The Markdown text."""
    title = f"# Model card: {manifest.name} {manifest.version}\n"
    parts = [
        title,
        _warning(manifest),
        _what(manifest, examples),
        _how(plan, split, course),
        _figures(manifest),
    ]
    return "\n".join([*parts, _maps(manifest), _limits(manifest)])


def _warning(manifest: Manifest) -> str:
    if manifest.demonstration:
        return "**DEMONSTRATION. Not for clinical use.** What it says about a patient means nothing.\n"
    return "**For research only.** It is no medical device.\n"


def _what(manifest: Manifest, examples: Examples) -> str:
    recipe = examples.recipe
    grid = f"{recipe.phases} phases x {recipe.slices} slices x {recipe.pixels} x {recipe.pixels} pixels"
    rows = {
        "Predicts": f"{manifest.label}, from a short-axis cine; no other column of the labels was looked at",
        "Network": f"`{manifest.architecture}`, {manifest.scores['parameters']:,} parameters",
        "Input": f"{grid} of {recipe.spacing_mm:g} mm, preprocessing `{recipe.sha256[:12]}`",
        "Threshold": f"{manifest.threshold:.4f}: {manifest.threshold_rule}",
        "Trained on": manifest.trained_on,
        "Weights": f"sha256 `{manifest.weights_sha256}`",
        "Command": f"`{manifest.command or 'not noted'}`",
    }
    return _table(("", ""), list(rows.items()))


def _how(plan: TrainingPlan, split: Split, course: Course) -> str:
    best, augmentation = course.best, plan.augmentation
    start = "from the weights of another bundle" if plan.init else "from random weights"
    of = f"{plan.group_by} and answer" if plan.group_by and plan.each_answer else plan.group_by or "answer"
    group = f" (by {of})" if plan.balance != "none" else ""
    mirrored = "mirrored too" if augmentation.flip else "never mirrored"
    begun = "anywhere" if augmentation.roll else "always at its start"
    lines = [
        f"Started {start}, seed {plan.seed}. Split: {split.told or 'given'}.",
        f"Adam, {plan.rate:g}, {plan.schedule}; {plan.batch} studies x {plan.accumulate} batches per step; "
        f"{plan.precision}. Groups: {_BALANCED[plan.balance]}{group}.",
        f"Turned by up to {augmentation.rotation_deg:g} degrees, shifted by up to "
        f"{augmentation.shift_px:g} pixels, {mirrored}; the beat begun {begun}.",
        f"The weights are those of epoch {best.epoch if best else 0} of {len(course.epochs)}, the one of the "
        "lowest validation loss.",
    ]
    return "## How it was trained\n\n" + "\n".join(lines) + "\n"


def _figures(manifest: Manifest) -> str:
    columns = ("part", "studies", "patients", "positive", "AUC", "sensitivity", "specificity")
    rows = [
        (part, *(_shown(manifest.scores[part], name) for name in _NAMES))
        for part in ("train", "validation", "test")
    ]
    told = "Threshold and epoch were chosen on the validation part: only the test part's figures are fair.\n"
    return "## Figures\n\n" + _table(columns, rows) + "\n" + told


_NAMES: Final = ("n", "patients", "positives", "auc", "sensitivity", "specificity")


def _shown(figures: Mapping[str, Any], name: str) -> str:
    return str(figures.get(name, ""))


def _maps(manifest: Manifest) -> str:
    """Which maps its reports may show, as phantoms proved."""
    rows: list[tuple[str, ...]] = [
        (NAMES[method], "alive" if verdict.alive else "dead: it goes into no report", verdict.sentence)
        for method, verdict in manifest.explanations.items()
    ]
    return "## Maps\n\n" + _table(("method", "proved on phantoms", "why"), rows)


def _limits(manifest: Manifest) -> str:
    return (
        "## Limits\n\n"
        f"It was taught {manifest.label} and nothing else, on the studies named above. No interval is given "
        "here: `dicom-node evaluate` gives them. An attention map is no outline of scar.\n"
    )


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
