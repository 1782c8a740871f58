"""Trial after trial: what is done is left as it is, what was cut off goes on.

Importing this loads no framework; training does.
"""

import platform
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from models.cohort import draw_examples
from models.evaluation.asking import part_of
from models.evaluation.motion import measured
from models.examples import Examples
from models.manifest import Manifest, read_manifest
from models.reference.outcome import Outcome, read_outcome, write_outcome
from models.reference.trials import Sizes, Trial, cohort_of, trials
from models.training.course import Epoch, News
from models.training.run import Trained, train
from models.training.splits import Split
from pipeline.preprocessing import Preprocessing

_DIGITS: Final = 6  # what lies below is the order in which sums were taken, and would break ties

Hear = Callable[[str], None]


def run_all(folder: Path, sizes: Sizes, seed: int, told: Mapping[str, str], hear: Hear) -> list[Outcome]:
    """Every trial's outcome; `told` is kept with each, and `hear` gets a line about whatever happens."""

    @cache
    def drawn(design: str, label: str, recipe: Preprocessing) -> tuple[Examples, Split]:
        cohort, split = cohort_of(design, sizes)
        hear(f"{design}: drawing {len(cohort.members)} studies of {recipe.pixels} x {recipe.pixels}")
        return draw_examples(cohort, label, recipe), split

    outcomes = []
    wanted = trials(sizes, seed)
    for number, trial in enumerate(wanted, 1):
        at = folder / trial.name
        outcome = read_outcome(at)
        if outcome is None:
            hear(f"{trial.name} ({number} of {len(wanted)})")
            examples, split = drawn(trial.design, trial.label, trial.recipe)
            outcome = _run(trial, examples, split, at, {**told, "seed": str(seed)}, hear)
            write_outcome(outcome, at)
        outcomes.append(outcome)
    return outcomes


def done(folder: Path, sizes: Sizes, seed: int) -> list[Outcome]:
    """The outcomes that are there."""
    found = [read_outcome(folder / trial.name) for trial in trials(sizes, seed)]
    return [outcome for outcome in found if outcome is not None]


def _run(
    trial: Trial, examples: Examples, split: Split, folder: Path, told: Mapping[str, str], hear: Hear
) -> Outcome:
    def say(event: News) -> None:
        if isinstance(event, Epoch):
            hear(
                f"{trial.name}: epoch {event.epoch} of at most {trial.plan.epochs}: loss {event.loss:.3f}, "
                f"validation loss {event.val_loss:.3f}, AUC {event.val_auc:.3f}, {event.seconds:.0f} s"
            )

    trained = train(trial.plan, examples, split, folder / "training", say, resume=True)
    manifest = read_manifest(trained.bundle)
    probability = _answers(trained, trial, examples, split)
    return _outcome(trial, examples, split, (trained, manifest, probability), told)


def _answers(trained: Trained, trial: Trial, examples: Examples, split: Split) -> tuple[float, ...]:
    """What the bundle's network says of the test part."""
    from models.network import keras_network
    from models.training.loop import probabilities

    network = keras_network(read_manifest(trained.bundle), trained.bundle)
    said = probabilities(network, examples, split.test, trial.plan.batch)
    return tuple(np.round(said, _DIGITS).tolist())


def _outcome(
    trial: Trial,
    examples: Examples,
    split: Split,
    came: tuple[Trained, Manifest, tuple[float, ...]],
    told: Mapping[str, str],
) -> Outcome:
    trained, manifest, probability = came
    test = part_of(examples, split.test)
    _, phases, slices, rows, columns = examples.cine.shape
    return Outcome(
        trial=trial.name,
        architecture=trial.plan.architecture,
        balance=trial.remedy,
        label=trial.label,
        parameters=trained.parameters,
        epochs=len(trained.history),
        best_epoch=int(manifest.scores["epoch"]),
        seconds=trained.seconds,
        threshold=manifest.threshold,
        sizes=split.sizes,
        grid=(phases, slices, rows, columns),
        spacing_mm=examples.recipe.spacing_mm,
        made_with=told,
        studies=tuple(test.studies),
        patients=tuple(test.patients),
        answers=tuple(test.label.tolist()),
        probability=probability,
        groups={name: tuple(values) for name, values in test.groups.items()},
        measures={name: tuple(values.tolist()) for name, values in measured(test).items()},
    )


def processor() -> str:
    """The processor's name, as Linux has it."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} cores of {names[0]}" if names else platform.machine()
