"""Where a value comes from, told by what changes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.specimen.runs import Cause, Run

_MOST_LISTED = 4
_LONGEST_LISTED = 80
STANDARD_UIDS = "1.2.840.10008."


@dataclass(frozen=True, slots=True)
class Origin:
    """`source` as PS3.2 names it, what an AUTO value follows from, and the values where there are few.

    `instead` are those that stand for one the source does not state.
    """

    source: str
    follows: str = ""
    values: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()


def origin_of(values: Mapping[int, frozenset[str]], runs: Sequence[Run]) -> Origin:
    """The origin of the values seen, by run; with no value at all there is nothing to say.

    What only a run shows that is compared with none may be either.
    """
    causes = _causes(values, runs)
    if values and not any(_is_compared(number, runs) for number in values):
        return Origin("COPY or AUTO")
    if Cause.SOURCE in causes and (copied := _copied(values, runs, causes)):
        return copied
    if causes == [Cause.CONFIGURATION]:
        return Origin("CONFIG")
    seen = tuple(sorted(set().union(*values.values())))
    few = len(seen) <= _MOST_LISTED and all(len(value) <= _LONGEST_LISTED for value in seen)
    few = few or all(value.startswith(STANDARD_UIDS) for value in seen)
    if causes:
        return Origin("AUTO", _words(causes), seen if few and all(map(_is_term, seen)) else ())
    return _constant(seen if few else (), len(seen))


def _constant(shown: tuple[str, ...], count: int) -> Origin:
    """Of values that no input changes: `count` of them, of which those `shown` can be listed."""
    if shown or count == 1:
        return Origin("FIXED", values=shown)
    return Origin("AUTO", "its place, or the case") if count else Origin("")


def _is_term(value: str) -> bool:
    """Whether it is a code or a coded string: worth listing even if it follows from something."""
    return value.startswith("(") or value.isupper()


def _causes(values: Mapping[int, frozenset[str]], runs: Sequence[Run]) -> list[Cause]:
    """In the order of `Cause`: every input that changes the values when it alone is another."""
    changed = {
        run.cause
        for number, run in enumerate(runs)
        if run.base is not None and values.get(number, frozenset()) != values.get(run.base, frozenset())
    }
    return [cause for cause in Cause if cause in changed]


def _copied(
    values: Mapping[int, frozenset[str]], runs: Sequence[Run], causes: Sequence[Cause]
) -> Origin | None:
    """COPY where the source states every value of the runs that are compared; None where it states none."""
    compared = {number for number in values if _is_compared(number, runs)}
    copied = {number: values[number] & runs[number].stated for number in values}
    if all(copied[number] == values[number] for number in compared):
        instead = sorted(set().union(*(values[number] - copied[number] for number in values)))
        return Origin("COPY", instead=tuple(instead))
    if all(copied[number] for number in compared):
        return Origin("COPY or AUTO", _words(causes))
    return None


def _is_compared(number: int, runs: Sequence[Run]) -> bool:
    return runs[number].base is not None or any(run.base == number for run in runs)


def _words(causes: Sequence[Cause]) -> str:
    """The causes; identifiers follow from all of them."""
    if len(causes) == len(Cause):
        return "all that goes into the result"
    return ", ".join(causes)
