"""What the process that decodes and computes may do, and what of it this system can enforce.

It reads strangers' files with C libraries. Whoever takes it over by one of them should find no network, no
database, and an archive that cannot be changed. Each protection stands alone: one that the system does not
have is named, and the others hold.
"""

import resource
from collections.abc import Callable
from functools import partial

from dicom_node.confinement import (
    Folders,
    Protection,
    landlock,
    limit_memory,
    no_capabilities,
    no_core_dumps,
    no_new_privileges,
    seccomp,
    taken,
)

_LARGEST_FILE = 2 * 1024**3


def confine(folders: Folders, memory_mb: int | None) -> tuple[Protection, ...]:
    """Give up what analysing needs none of, for this process and its children, for good.

    Call it while there is one thread: what runs already in another one stays as it is (landlock(7)).
    """
    steps: dict[str, Callable[[], None]] = {
        "no privilege can be gained": no_new_privileges,
        "no core dumps, no file over 2 GiB": _limit_files,
        "no capability": no_capabilities,
        "archive and model read-only, results alone writable": partial(landlock.restrict, folders),
        "no network": partial(seccomp.forbid, "socket"),
    }
    if memory_mb is not None:
        most_bytes = memory_mb * 1_000_000
        steps = {f"at most {memory_mb} MB of memory": partial(limit_memory, most_bytes), **steps}
    return taken(steps)


def _limit_files() -> None:
    no_core_dumps()
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
