"""Whether it makes sense to run a study after one could not be written down for want of room."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import final

_ENOUGH_MORE = 1_000_000
_AT_LEAST_EVERY = timedelta(minutes=5)


@final
class Room:
    """Remembers that the disk was full. `free_bytes` looks at it."""

    def __init__(self, free_bytes: Callable[[], int]) -> None:
        self._free_bytes = free_bytes
        self._full_at: tuple[int, datetime] | None = None

    def ran_out(self, at: datetime) -> None:
        """Something could not be written."""
        self._full_at = (self._free_bytes(), at)

    def there_is(self, at: datetime) -> bool:
        """Whether there is more room than when it ran out, or enough time has passed to try all the same."""
        if self._full_at is None:
            return True
        free_then, then = self._full_at
        if self._free_bytes() < free_then + _ENOUGH_MORE and at - then < _AT_LEAST_EVERY:
            return False
        self._full_at = None
        return True
