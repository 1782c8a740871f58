"""Which studies' images go, and why. No clock, no database, no disk."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dicom_node.config_sections import RetainSettings
from dicom_node.config_values import RemovableState
from dicom_node.jobs import State
from dicom_node.store.keeping_records import KeptStudy

_GIGABYTE = 1_000_000_000
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Space:
    """How much the archive's images take, and how much of its disk is free, in bytes."""

    archive_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Removal:
    """A study whose images go, the bytes that frees, and the reason."""

    study: KeptStudy
    size_bytes: int
    reason: str


_DONE_WITH: Mapping[RemovableState, frozenset[State]] = {
    "delivered": frozenset({State.DELIVERED, State.COMMITTED}),
    "rejected": frozenset({State.REJECTED}),
    "failed": frozenset({State.FAILED}),
}
"""For each word in `retain.states`: where nobody works on a study any more and no result is at risk."""


def removable_states(settings: RetainSettings) -> frozenset[State]:
    """The states whose images may go. Never one in which images come in, are read, or results wait."""
    return frozenset().union(*(_DONE_WITH[name] for name in settings.states))


def choose(
    candidates: Iterable[KeptStudy],
    size_of: Callable[[KeptStudy], int],
    space: Space,
    settings: RetainSettings,
    at: datetime,
) -> Iterator[Removal]:
    """What goes, from the oldest to the youngest of `candidates`, which come in that order.

    By age, whatever is older than `days`; by size, until the archive is within `max_gb`; by space, until
    `evict_below_mb` are free. Nothing younger than `at_least_days` goes for the latter two. `size_of` (bytes)
    is asked about what goes only.
    """
    freed = 0
    for study in candidates:
        age = at - study.since
        after = Space(space.archive_bytes - freed, space.free_bytes + freed)
        reason = _too_old(age, settings) or _too_much(age, after, settings)
        if reason:
            size = size_of(study)
            freed += size
            yield Removal(study, size, reason)


def _too_old(age: timedelta, settings: RetainSettings) -> str:
    if settings.days is None or age < timedelta(days=settings.days):
        return ""
    return f"older than {settings.days:g} days (retain.days)"


def _too_much(age: timedelta, space: Space, settings: RetainSettings) -> str:
    if age < timedelta(days=settings.at_least_days):
        return ""
    if settings.max_gb is not None and space.archive_bytes > settings.max_gb * _GIGABYTE:
        return f"the archive held more than {settings.max_gb:g} GB (retain.max_gb)"
    if settings.evict_below_mb is not None and space.free_bytes < settings.evict_below_mb * _MEGABYTE:
        return f"less than {settings.evict_below_mb:,} MB were free (retain.evict_below_mb)"
    return ""
