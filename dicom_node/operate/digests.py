"""Whether files are still what was recorded of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of comparing files with their recorded digests.

    Attributes:
        count: files that should be there.
        missing, changed: names of those that are gone, and of those with other bytes.
    """

    count: int
    missing: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def intact(self) -> bool:
        """Whether every file is there and unchanged."""
        return not self.missing and not self.changed


def check_digests(
    files: Iterable[tuple[str, Path, str]], digest: Callable[[Path], str], tell: Callable[[], None]
) -> Checked:
    """Compare (name, file, recorded digest) with what `digest` makes of each file; `tell` after each.

    A file that cannot be read counts as missing.
    """
    count, missing, changed = 0, [], []
    for name, path, recorded in files:
        count += 1
        try:
            if digest(path) != recorded:
                changed.append(name)
        except OSError:
            missing.append(name)
        tell()
    return Checked(count, tuple(missing), tuple(changed))
