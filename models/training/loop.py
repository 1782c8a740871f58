"""Epoch after epoch, until the plan or the validation loss ends it. Importing this loads Keras."""

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from models.errors import TrainingFailed
from models.examples import Examples
from models.training.balance import balanced_loss, groups_of
from models.training.batches import Batches
from models.training.checkpoint import STATE, load_state, save_state
from models.training.course import HISTORY, Course, Epoch, News, Step, write_history
from models.training.devices import spread
from models.training.event_log import write_events
from models.training.networks import be_repeatable, first_network, twin
from models.training.plan import TrainingPlan
from models.training.scores import auc
from models.training.splits import Split
from models.training.teaching import teacher

LARGEST_GRADIENT: Final = 1.0
"""The norm of each array's gradient is cut to this; not where studies weigh: it takes away what that adds."""

Say = Callable[[News], None]


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """One training under way: what it learns from, and the two networks it is about.

    `network` is the bundle's, in float32; `pupil` is what is taught, the same one unless the plan wants half
    precision; `model` is the pupil with its loss.
    """

    plan: TrainingPlan
    examples: Examples
    split: Split
    batches: Batches
    network: Any
    pupil: Any
    model: Any

    @property
    def variables(self) -> list[Any]:
        """All that an epoch leaves to the next: weights, statistics, seeds, Adam's moments, Group DRO's q."""
        return [
            *self.pupil.variables,
            *self.model.get_layer("loss").variables,
            *self.model.optimizer.variables,
        ]

    def validation_loss(self, probability: NDArray[np.float64]) -> float:
        """Of the validation part, whose studies weigh as the plan's balance has it."""
        plan, held = self.plan, self.split.validation
        label = self.examples.label[held]
        balanced = plan.balance != "none"
        group_by, each_answer = (plan.group_by, plan.each_answer) if balanced else ("", False)
        groups = groups_of(self.examples, held, group_by, several=False, each_answer=each_answer)
        losses = cross_entropies(probability, label)
        return balanced_loss(plan.balance, losses, groups, label, plan.group_by)


def learn(plan: TrainingPlan, examples: Examples, split: Split, folder: Path, say: Say) -> tuple[Any, Course]:
    """The trained network, in float32 with the weights of its best epoch, and how it came to be.

    Goes on from the state in `folder`, if one is there. Raises TrainingRefused, TrainingFailed.
    """
    batches = Batches(plan, examples, split.train)  # what is wrong with them is said before Keras is loaded
    be_repeatable()
    with spread(batches.size), warnings.catch_warnings():
        # the public release's attention learns nothing, and so its networks here, which is known and tested
        warnings.filterwarnings("ignore", "Gradients do not exist for variables")
        loop = _begun(plan, examples, split, batches)
        course, best = _resumed(loop, folder)
        while not course.ended(plan):
            epoch = _epoch(loop, course, say)
            course = Course((*course.epochs, epoch))
            if course.best is epoch:
                best = [_array(one) for one in loop.pupil.weights]
            save_state(folder / STATE, [*_values(loop), *best], course)
            _log(course, folder)
            say(epoch)
        loop.network.set_weights(best)
    return loop.network, course


def probabilities(
    network: Any, examples: Examples, indices: NDArray[np.int64], batch: int
) -> NDArray[np.float64]:
    """(index,) P(yes) for the examples at `indices`."""
    if keras.backend.backend() == "tensorflow":
        network.jit_compile = False  # XLA is four times slower on a processor
    answers = []
    for start in range(0, len(indices), batch):
        cines = [
            np.asarray(examples.cine[int(index)], np.float32) for index in indices[start : start + batch]
        ]
        answers.append(keras.ops.convert_to_numpy(network.predict_on_batch(np.stack(cines)[..., None]))[:, 0])
    return np.concatenate(answers).astype(np.float64) if answers else np.empty(0)


def _begun(plan: TrainingPlan, examples: Examples, split: Split, batches: Batches) -> Loop:
    network = first_network(plan, examples.recipe)
    pupil = twin(network, plan.architecture, examples.recipe, plan.precision)
    accumulated = plan.accumulate if plan.accumulate > 1 else None
    longest = None if plan.balance == "reweigh" else LARGEST_GRADIENT
    optimizer = keras.optimizers.Adam(plan.rate, clipnorm=longest, gradient_accumulation_steps=accumulated)
    if plan.precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    groups, robust = len(batches.groups.names), plan.balance == "groupdro"
    model = teacher(pupil, groups, robust=robust, optimizer=optimizer)
    return Loop(plan, examples, split, batches, network, pupil, model)


def _resumed(loop: Loop, folder: Path) -> tuple[Course, list[NDArray[Any]]]:
    """The epochs so far and the weights of the best one; the loop's variables are as they left them."""
    if not (folder / STATE).exists():
        return Course(), []
    now, weights = _values(loop), [_array(one) for one in loop.pupil.weights]
    kept, course = load_state(folder / STATE, [*now, *weights])
    for variable, value in zip(loop.variables, kept, strict=False):
        variable.assign(value)
    _log(course, folder)
    return course, kept[len(now) :]


def _epoch(loop: Loop, course: Course, say: Say) -> Epoch:
    begun, number = time.perf_counter(), len(course.epochs) + 1
    rate, losses = course.next_rate(loop.plan), []
    loop.model.optimizer.learning_rate = rate
    for step, batch in enumerate(loop.batches.epoch(number), 1):
        given = [batch.cine, batch.answer, batch.group, batch.weight]
        loss = float(loop.model.train_on_batch(given, np.zeros(len(batch.answer), np.float32)))
        if not math.isfinite(loss):
            raise TrainingFailed(
                f"the loss is no number in epoch {number}, step {step}: a lower --rate may help; "
                "the state after the last whole epoch is kept"
            )
        losses.append(loss)
        say(Step(number, step, loop.batches.steps, loss))
    held, answers = loop.split.validation, loop.examples.label[loop.split.validation]
    probability = probabilities(loop.pupil, loop.examples, held, loop.plan.batch)
    if not np.isfinite(probability).all():
        raise TrainingFailed(
            f"the network answers with no number after epoch {number}: a lower --rate may help"
        )
    val_loss = loop.validation_loss(probability)
    loss, seconds = sum(losses) / len(losses), time.perf_counter() - begun
    return Epoch(number, rate, loss, val_loss, auc(probability, answers), seconds)


def cross_entropies(probability: NDArray[np.float64], answer: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(example,) losses; probabilities are kept 1e-7 from 0 and 1, as Keras does."""
    given = np.clip(np.where(answer, probability, 1 - probability), 1e-7, 1 - 1e-7)
    losses: NDArray[np.float64] = -np.log(given)
    return losses


def _log(course: Course, folder: Path) -> None:
    write_history(course.epochs, folder / HISTORY)
    write_events(course.epochs, folder)


def _values(loop: Loop) -> list[NDArray[Any]]:
    return [_array(one) for one in loop.variables]


def _array(variable: Any) -> NDArray[Any]:
    return np.asarray(keras.ops.convert_to_numpy(variable))
