"""One training from labelled volumes to a bundle's folder. Importing this loads no framework."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.errors import TrainingRefused
from models.examples import Examples
from models.explanation.registration import prove_bundle
from models.golden import Golden, write_golden
from models.manifest import Manifest, read_manifest
from models.network import load_keras
from models.training.bundling import SIMULATED, UNKNOWN, contract_of, save_bundle
from models.training.card import CARD_NAME, write_card
from models.training.checkpoint import STATE
from models.training.course import HISTORY, Course, Epoch, News, Stage, read_history
from models.training.figures import counted, scored
from models.training.golden_studies import golden_cines
from models.training.plan import TrainingPlan
from models.training.split_file import write_split
from models.training.splits import Split
from models.training.threshold import ThresholdRule

BUNDLE: Final = "bundle"
RUN: Final = "run.json"
SPLIT: Final = "split.csv"
"""Who was learned from, chosen by and measured on: what judges the model later by the same patients."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of a training.

    Attributes:
        bundle: its folder: manifest, weights, card and, if wanted, golden studies.
        history: every epoch, oldest first.
        parameters: of the network.
        seconds: that the epochs took, resumed or not.
    """

    bundle: Path
    history: tuple[Epoch, ...]
    parameters: int

    @property
    def seconds(self) -> float:
        return sum(epoch.seconds for epoch in self.history)


def silent(_: News) -> None:
    """For those who do not watch."""


def train(
    plan: TrainingPlan,
    examples: Examples,
    split: Split,
    folder: Path,
    say: Callable[[News], None] = silent,
    *,
    resume: bool = False,
) -> Trained:
    """Train as `plan` says, in `folder`, which is empty or not there; with `resume`, or holds this very run.

    `say` hears every step and epoch, and what is done after them. After every epoch the state is on the disk:
    whatever ends the process, resuming gives the same bundle, on a processor bit by bit. A run that is
    finished is left as it is.

    Raises:
        TrainingRefused: plan, examples and split do not go together, or the folder holds something else.
        TrainingFailed: the loss became no number.
        WeightsCorrupt: the bundle to start from is not sound.
    """
    split.check(examples)
    _claim(folder, _identity(plan, examples, split), resume)
    if not (folder / BUNDLE).exists():
        write_split(folder / SPLIT, split, examples)
        load_keras(plan.architecture)  # first of all: it says which backend
        from models.training.loop import learn

        network, course = learn(plan, examples, split, folder, say)
        _bundle(_Outcome(plan, examples, split, network, course), folder, say)
    (folder / STATE).unlink(missing_ok=True)
    parameters = int(read_manifest(folder / BUNDLE).scores["parameters"])
    return Trained(folder / BUNDLE, read_history(folder / HISTORY), parameters)


@dataclass(frozen=True, slots=True, eq=False)
class _Outcome:
    plan: TrainingPlan
    examples: Examples
    split: Split
    network: Any
    course: Course


def _identity(plan: TrainingPlan, examples: Examples, split: Split) -> dict[str, str]:
    """What must be the same for a run to be resumed: digests, no identities."""
    parts = [one.tolist() for one in (split.train, split.validation, split.test)]
    columns = [examples.studies, examples.patients, examples.label.tolist(), list(examples.groups.items())]
    data = [examples.label_name, examples.recipe.sha256, parts, *(list(column) for column in columns)]
    return {"plan": plan.sha256, "data": hashlib.sha256(json.dumps(data, default=list).encode()).hexdigest()}


def _claim(folder: Path, identity: dict[str, str], resume: bool) -> None:
    """Make `folder` this run's, or find that it is."""
    if not folder.exists() or not any(folder.iterdir()):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RUN).write_text(json.dumps(identity, indent=2) + "\n", encoding="utf-8")
        return
    if not resume:
        raise TrainingRefused(f"{folder} is not empty: resume the run that is there, or name another folder")
    try:
        found = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingRefused(f"{folder} holds no training to resume") from error
    if differing := [
        name for name in identity if not isinstance(found, dict) or found.get(name) != identity[name]
    ]:
        told = " and ".join(differing)
        raise TrainingRefused(f"{folder} holds a training with another {told}: start anew in another folder")


def _bundle(outcome: _Outcome, folder: Path, say: Callable[[News], None]) -> None:
    """Write the bundle beside its place, whole, and only then put it there."""
    beside = folder / f"{BUNDLE}.part"
    if beside.exists():
        shutil.rmtree(beside)
    save_bundle(outcome.network, beside, _manifest(outcome))
    manifest = prove_bundle(beside, lambda doing: say(Stage(doing)))
    card = write_card(manifest, outcome.plan, outcome.examples, outcome.split, outcome.course)
    (beside / CARD_NAME).write_text(card, encoding="utf-8")
    cines = golden_cines(outcome.plan, outcome.examples, outcome.split)
    if cines is not None:
        given = [cine.astype(np.float32)[None, ..., None] for cine in cines]
        answers = [float(np.asarray(outcome.network.predict_on_batch(one)).item()) for one in given]
        write_golden(Golden(cines, np.array(answers)), beside)
    beside.rename(folder / BUNDLE)


def _manifest(outcome: _Outcome) -> Manifest:
    plan, examples = outcome.plan, outcome.examples
    measured = _measured(outcome)
    return Manifest(
        name=plan.name or plan.architecture,
        version=plan.version,
        architecture=plan.architecture,
        weights_sha256=UNKNOWN,
        preprocessing=examples.recipe,
        contract=contract_of(examples.recipe),
        threshold=measured["threshold"],
        threshold_rule=ThresholdRule.parse(plan.threshold_rule).sentence,
        label=examples.label_name,
        trained_on=_trained_on(outcome),
        demonstration=plan.demonstration or examples.simulated,
        attention=tuple(load_keras(plan.architecture)[1].ATTENTION),
        scores=measured,
        command=plan.command,
    )


def _measured(outcome: _Outcome) -> dict[str, Any]:
    from models.training.loop import probabilities

    plan, examples, split, best = outcome.plan, outcome.examples, outcome.split, outcome.course.best
    chosen = probabilities(outcome.network, examples, split.validation, plan.batch)
    rule = ThresholdRule.parse(plan.threshold_rule)
    threshold = rule.choose(chosen, examples.label[split.validation])
    scores = {
        "threshold": threshold,
        "parameters": int(outcome.network.count_params()),
        "epoch": best.epoch if best else 0,
        "train": counted(examples, split.train),
        "validation": scored(examples, split.validation, chosen, threshold),
        "test": {"n": 0},
    }
    if len(split.test):
        measured = probabilities(outcome.network, examples, split.test, plan.batch)
        scores["test"] = scored(examples, split.test, measured, threshold)
    return scores


def _trained_on(outcome: _Outcome) -> str:
    examples = outcome.examples
    train = counted(examples, outcome.split.train)
    told = (
        f"{train['n']} studies of {train['patients']} patients, "
        f"{train['positives']} of them with {examples.label_name}."
    )
    if examples.simulated:
        told = f"{SIMULATED}; {told}"
    if outcome.plan.init is not None:
        start = read_manifest(outcome.plan.init)
        told += f" Started from the weights of {start.name} {start.version} ({start.weights_sha256[:12]})."
    return f"{outcome.plan.data.rstrip('.')}: {told}" if outcome.plan.data else told
