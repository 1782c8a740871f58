"""Tasks of the clock that have nothing to do while nobody writes to the database are not called then."""

import time
from collections.abc import Callable
from typing import final

_AT_LEAST_EVERY_S = 10.0
"""Called so often in any case: a change could come from somewhere else, a disk that has room again."""


@final
class Resting:
    """Makes tasks that rest. `number` is `Changes.number`, `steady_s` a clock that nobody sets."""

    def __init__(
        self, number: Callable[[], int | None], steady_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._number = number
        self._steady_s = steady_s

    def task(self, work: Callable[[], object]) -> Callable[[], None]:
        """`work`, left out if nothing was written since its last call began.

        If that call raised, or returned True because time alone can give it something to do, it is made anew.
        """
        done_at: int | None = None
        next_s = 0.0

        def call() -> None:
            nonlocal done_at, next_s
            number = self._number()
            if number is not None and number == done_at and self._steady_s() < next_s:
                return
            done_at = None
            if work() is not True:
                done_at, next_s = number, self._steady_s() + _AT_LEAST_EVERY_S

        return call
