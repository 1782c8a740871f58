"""Prepared volumes kept for later epochs and runs: an HDF5 file per preprocessing, a chunk per study.

A study is found by the digest of its images' digests, so one that changed is prepared anew. New studies go
into a copy beside the file, which takes its place when it is whole; cut off before, the copy is gone on with.
A file that is damaged is made anew. It holds images without names: patients are digests.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from models.training.preparing import PreparedStudy
from models.training.studies import Filed
from pipeline.preprocessing import Preprocessing

_FORM: Final = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """A study in the file: where, and what is known of it beside the images."""

    place: int
    groups: dict[str, str]
    simulated: bool


@dataclass(frozen=True, slots=True)
class Contents:
    """All but the images: studies by key, why others cannot be prepared, by key, and files by digest."""

    studies: dict[str, Kept]
    refused: dict[str, str]
    files: dict[str, Filed]


class StoredCines:
    """The cines of some kept studies, read when they are asked for; safe for threads."""

    def __init__(self, path: Path, places: Sequence[int]) -> None:
        self._file = h5py.File(path, "r")
        self._places = tuple(places)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self._places), *self._file["cine"].shape[1:])

    def __getitem__(self, index: Any, /) -> NDArray[np.float16]:
        cine: NDArray[np.float16] = self._file["cine"][self._places[int(index)]]
        return cine


class ExampleStore:
    """The file for one recipe in a folder of such files."""

    def __init__(self, folder: Path, recipe: Preprocessing) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._recipe = recipe
        self.path = folder / f"prepared-{recipe.sha256[:16]}.h5"

    def contents(self) -> Contents:
        """What is kept; nothing if there is no file yet, or it is damaged. Reads every image once, to see."""
        return _read(self.path, self._recipe, whole=True) or Contents({}, {}, {})

    def files(self) -> Mapping[str, Filed]:
        """Where files belong, by their digest, as far as that was noted."""
        contents = _read(self.path, self._recipe, whole=False)
        return contents.files if contents else {}

    @contextmanager
    def adding(self) -> Iterator["Addition"]:
        """Within, studies can be added. One process at a time: another one waits."""
        partial = self.path.with_suffix(".part")
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            contents = _read(partial, self._recipe, whole=True)
            if contents is None:
                contents = _read(self.path, self._recipe, whole=True)
                _begin(partial, None if contents is None else self.path, self._recipe)
            contents = contents or Contents({}, {}, {})
            with h5py.File(partial, "r+") as file:
                yield Addition(file, contents)
            with partial.open("rb") as whole:
                os.fsync(whole.fileno())
            partial.replace(self.path)

    def cines(self, places: Sequence[int]) -> StoredCines:
        """The cines at these places of the file."""
        return StoredCines(self.path, places)


class Addition:
    """A copy of the file that grows; every study is on its way to the disk before the next one begins."""

    def __init__(self, file: Any, contents: Contents) -> None:
        self._file, self.contents = file, contents

    def add(self, study: PreparedStudy) -> None:
        """Keep one more study."""
        place = len(self.contents.studies)
        row = {"key": study.key, "groups": dict(study.groups), "simulated": study.simulated}
        for name, value in (("cine", study.cine), ("study", json.dumps(row))):
            self._file[name].resize(place + 1, axis=0)
            self._file[name][place] = value
        self._file.flush()
        self.contents.studies[study.key] = Kept(place, dict(study.groups), study.simulated)

    def refuse(self, key: str, reason: str) -> None:
        """Remember that a study cannot be prepared, and why: the same files will not get better."""
        self._append("refused", [{"key": key, "reason": reason}])
        self.contents.refused[key] = reason

    def note(self, files: Mapping[str, Filed]) -> None:
        """Remember where files belong."""
        fresh = {digest: filed for digest, filed in files.items() if digest not in self.contents.files}
        self._append("file", [{"digest": digest, **asdict(filed)} for digest, filed in fresh.items()])
        self.contents.files.update(fresh)

    def _append(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        first = self._file[name].shape[0]
        self._file[name].resize(first + len(rows), axis=0)
        for place, row in enumerate(rows, first):
            self._file[name][place] = json.dumps(row)


def _begin(partial: Path, whole: Path | None, recipe: Preprocessing) -> None:
    partial.unlink(missing_ok=True)
    if whole is not None:
        shutil.copyfile(whole, partial)
        return
    grid = (recipe.phases, recipe.slices, recipe.pixels, recipe.pixels)
    with h5py.File(partial, "w") as file:
        file.attrs["form"], file.attrs["recipe"] = _FORM, recipe.as_json()
        file.create_dataset(
            "cine", (0, *grid), np.float16, maxshape=(None, *grid), chunks=(1, *grid), fletcher32=True
        )
        for name in ("study", "refused", "file"):
            file.create_dataset(name, (0,), h5py.string_dtype(), maxshape=(None,), chunks=(256,))


def _read(path: Path, recipe: Preprocessing, *, whole: bool) -> Contents | None:
    """What the file holds; None if there is none, or it is not what `_begin` and `Addition` make.

    With `whole` every image's checksum is compared, too.
    """
    if not path.exists():
        return None
    try:
        with h5py.File(path, "r") as file:
            if file.attrs["form"] != _FORM or file.attrs["recipe"] != recipe.as_json():
                return None
            studies = {row.pop("key"): Kept(place, **row) for place, row in enumerate(_rows(file, "study"))}
            refused = {row["key"]: str(row["reason"]) for row in _rows(file, "refused")}
            files = {row.pop("digest"): Filed(**row) for row in _rows(file, "file")}
            for place in range(len(studies) if whole else 0):
                _ = file["cine"][place]
    except (OSError, ValueError, TypeError, KeyError, RuntimeError):
        return None
    return Contents(studies, refused, files)


def _rows(file: Any, name: str) -> list[dict[str, Any]]:
    return [json.loads(row) for row in file[name][:]]
