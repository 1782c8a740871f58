"""A bench that cannot show a regression is worthless: does a slowed build miss a bar that ours meets?"""

from collections.abc import Callable, Sequence
from importlib import import_module

from benchmarks.bars import Bar
from benchmarks.page import table
from benchmarks.tree import Brake, measured, slowed


def self_check(names: Sequence[str], say: Callable[[str], None]) -> bool:
    """Every benchmark among `names` that has a brake, without and with it; False if one noticed nothing."""
    brakes = {name: getattr(import_module(f"benchmarks.{name}"), "BRAKE", None) for name in names}
    checked = [_noticed(name, brake, say) for name, brake in brakes.items() if brake is not None]
    return bool(checked) and all(checked)


def newly_missed(before: Sequence[Bar], after: Sequence[Bar]) -> list[Bar]:
    """The bars of `after` that are missed there and were met `before`."""
    once_met = {(bar.what, bar.against) for bar in before if bar.met}
    return [bar for bar in after if not bar.met and (bar.what, bar.against) in once_met]


def _noticed(name: str, brake: Brake, say: Callable[[str], None]) -> bool:
    say(f"{name}: as it is")
    before = measured(name)
    say(f"{name}: {brake.function} of {brake.path} slowed by {brake.seconds:g} s")
    with slowed(brake) as tree:
        after = measured(name, tree)
    missed = newly_missed(before or (), after or ())
    say(f"{table(missed)}\n{name}: the slowed build is noticed" if missed else f"{name}: NOTHING WAS NOTICED")
    return bool(missed)
