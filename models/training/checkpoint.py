"""The state of a training between two epochs, whole on the disk or not there at all."""

import os
import zipfile
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.errors import TrainingRefused
from models.training.course import Course, Epoch

Arrays = Sequence[NDArray[Any]]
STATE: Final = "checkpoint.npz"
_COURSE: Final = "course"


def save_state(path: Path, arrays: Arrays, course: Course) -> None:
    """Keep `arrays`, in their order, and the epochs that made them."""
    named: dict[str, Any] = {f"{place:05d}": array for place, array in enumerate(arrays)}
    named[_COURSE] = np.array([astuple(epoch) for epoch in course.epochs], np.float64)
    temporary = path.with_name(f"{path.name}.part")
    with temporary.open("wb") as file:
        np.savez(file, **named)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def load_state(path: Path, like: Arrays) -> tuple[list[NDArray[Any]], Course]:
    """What `save_state` kept; the arrays must have the number, shapes and kinds of `like`.

    Raises TrainingRefused if the file is damaged or another network's. Nothing in it is executed.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            rows = kept[_COURSE]
            found = [kept[name] for name in sorted(kept.files) if name != _COURSE]
        course = Course(tuple(Epoch(int(row[0]), *map(float, row[1:])) for row in rows))
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise TrainingRefused(f"{path} is damaged, start anew in another folder: {error}") from error
    if [(one.shape, one.dtype) for one in found] != [(one.shape, one.dtype) for one in like]:
        raise TrainingRefused(f"{path} is the state of another network: start anew in another folder")
    return found, course
