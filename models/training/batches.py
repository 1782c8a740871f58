"""What a network is shown, step by step: a function of seed, epoch and place alone; so it can be resumed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.examples import Examples
from models.training.augment import NONE, apply_change, draw_change
from models.training.balance import groups_of, per_group, reweighed, stratified
from models.training.plan import TrainingPlan

Array = NDArray[np.float32]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One step's studies.

    Attributes:
        cine: (example, phase, slice, row, column, 1) in 0..1.
        answer: (example, 1) 1 for yes.
        group: (example, group) 1 where it belongs.
        weight: (example, 1) what its loss counts.
    """

    cine: Array
    answer: Array
    group: Array
    weight: Array


class Batches:
    """The training part, varied and balanced as the plan says."""

    def __init__(self, plan: TrainingPlan, examples: Examples, train: Indices) -> None:
        """Raises TrainingRefused if the plan's groups cannot be balanced in these studies."""
        balanced = plan.balance != "none"
        self._plan, self._examples, self._train = plan, examples, train
        self.groups = groups_of(
            examples,
            train,
            plan.group_by if balanced else "",
            several=balanced,
            each_answer=balanced and plan.each_answer,
        )
        self._weight = np.ones(len(train))
        if plan.balance == "reweigh":
            self._weight = reweighed(self.groups, examples.label[train], plan.group_by)
        self._batch = min(plan.batch, len(train))
        self._sampled = plan.balance in ("oversample", "groupdro")
        if self._sampled:  # Group DRO cannot learn of a group that a batch does not hold
            self._batch = per_group(self._batch, len(self.groups.names)) * len(self.groups.names)

    @property
    def size(self) -> int:
        """Studies in each of them."""
        return self._batch

    @property
    def steps(self) -> int:
        """Batches in an epoch; what does not fill one is left for another epoch's order."""
        return max(1, len(self._train) // self._batch)

    def order(self, epoch: int) -> Indices:
        """(step, example) places in the training part, of this epoch (from 1)."""
        rng = np.random.default_rng((self._plan.seed, epoch))
        if self._sampled:
            return stratified(self.groups, self._plan.batch, self.steps, rng)
        shuffled = rng.permutation(len(self._train))
        return shuffled[: self.steps * self._batch].reshape(self.steps, self._batch)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Every batch of an epoch, the next ones made ready while one is worked on."""
        order, ahead = self.order(epoch), self._plan.workers
        with ThreadPoolExecutor(ahead, thread_name_prefix="batches") as pool:
            waiting = [
                pool.submit(self._made, epoch, step, order[step]) for step in range(min(ahead, len(order)))
            ]
            for step in range(len(order)):
                made = waiting.pop(0).result()
                if step + ahead < len(order):
                    waiting.append(pool.submit(self._made, epoch, step + ahead, order[step + ahead]))
                yield made

    def _made(self, epoch: int, step: int, places: Indices) -> Batch:
        indices = self._train[places]
        shown = [
            self._varied(int(index), np.random.default_rng((self._plan.seed, epoch, step, place)))
            for place, index in enumerate(indices)
        ]
        return Batch(
            cine=np.stack(shown)[..., None],
            answer=self._examples.label[indices].astype(np.float32)[:, None],
            group=np.eye(len(self.groups.names), dtype=np.float32)[self.groups.of[places]],
            weight=self._weight[places].astype(np.float32)[:, None],
        )

    def _varied(self, index: int, rng: np.random.Generator) -> Array:
        cine = np.asarray(self._examples.cine[index], np.float32)
        if self._plan.augmentation == NONE:
            return cine
        return apply_change(cine, draw_change(self._plan.augmentation, len(cine), rng))
