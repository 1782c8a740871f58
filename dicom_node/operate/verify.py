"""Whether a result can be had again from what is recorded of it: `dicom-node trace --verify`."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, final

from dicom_node.archive import Archive
from dicom_node.config import Settings
from dicom_node.errors import NodeError
from dicom_node.installation import installation
from dicom_node.intake.on_disk import dataset_digest
from dicom_node.operate.compare_objects import ObjectDifference, compare_runs, compare_with_file
from dicom_node.operate.differences import ABSENT, Difference
from dicom_node.operate.digests import Checked, check_digests
from dicom_node.operate.repeat import find_bundle, repeat
from dicom_node.operate.trace import Trace
from dicom_node.places import models_dir, results_dir
from dicom_node.registry import Shelf
from dicom_node.store.records import Result
from dicom_node.store.run_records import Run, RunInput

Tell = Callable[[str, int], None]
"""Told what is being done, and how many steps that has (0: nobody knows); the same again is one step."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """The analysis made again.

    `outcome` is "identical" if every byte of every object was the same; `reason` is a sentence otherwise.
    """

    outcome: Literal["identical", "different", "not repeated"]
    reason: str = ""
    objects: tuple[ObjectDifference, ...] = ()


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of verifying one result.

    Attributes:
        sources: the archived images, against their digests.
        results: the objects of the run, against theirs.
        given: what the file that was asked about has otherwise than ours; None if a UID was asked about.
        repeat: the analysis made again.
        surroundings: what is otherwise now than it was then in host, code and libraries.
    """

    sources: Checked
    results: Checked
    given: tuple[Difference, ...] | None
    repeat: Repeat
    surroundings: tuple[Difference, ...]

    @property
    def identical(self) -> bool:
        """Whether everything is as it was, and came out again as it did."""
        intact = self.sources.intact and self.results.intact and not self.given
        return intact and self.repeat.outcome == "identical"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"identical": self.identical, **asdict(self)}


@final
@dataclass(frozen=True, slots=True, eq=False)
class Verifier:
    """Recomputes digests and repeats analyses; writes into temporary folders only.

    `tell` hears how the work goes on.
    """

    archive: Archive
    settings: Settings
    tell: Tell

    def verify(self, trace: Trace, file: Path | None) -> Verification:
        """Verify one result, and the file that was asked about if it was one.

        Raises:
            NodeError: the run of this result was not recorded.
        """
        if trace.run is None:
            raise NodeError(f"this result cannot be verified: {trace.not_recorded}")
        folder, own = results_dir(self.settings), trace.own
        made = sorted((trace.result, *trace.together), key=lambda one: one.id)
        inputs = [
            (_named(one.given), self.archive.open(one.given.path), one.given.digest) for one in trace.sources
        ]
        objects = [(f"{one.kind} {one.sop_instance_uid}", folder / one.path, one.digest) for one in made]
        sources = check_digests(inputs, dataset_digest, partial(self.tell, "images", len(inputs)))
        results = check_digests(objects, _file_digest, partial(self.tell, "results", len(objects)))
        given = compare_with_file(folder / own.result.path, file, own.sent_sop_class_uid) if file else None
        again = (
            self._repeat(trace.run, made, [path for _, path, _ in inputs])
            if sources.intact
            else Repeat("not repeated", _lost(sources, trace.images_removed_at))
        )
        now = tuple(_otherwise(trace.run.installation, asdict(installation())))
        return Verification(sources, results, None if given is None else tuple(given), again, now)

    def _repeat(self, run: Run, made: list[Result], paths: list[Path]) -> Repeat:
        with TemporaryDirectory(prefix="dicom-node-verify-") as name:
            folder = Path(name)
            try:
                others = (self.settings.model.bundle, None, *Shelf(models_dir(self.settings)).folders())
                bundle = find_bundle(run, others) if run.findings else None
                again = repeat(run, paths, (folder, bundle), self.settings, lambda event: self.tell(event, 0))
            except NodeError as error:
                return Repeat("not repeated", str(error))
            if again.outcome != "done":
                return Repeat("different", f"the analysis is {again.outcome} now: {again.reason}")
            found = tuple(compare_runs(made, again.files, (results_dir(self.settings), folder)))
        if found:
            return Repeat("different", f"{len(found)} of {len(made)} objects came out differently", found)
        return Repeat("identical")


def _named(given: RunInput) -> str:
    return f"{given.sop_instance_uid} ({given.path})"


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lost(sources: Checked, removed_at: datetime | None) -> str:
    missing, changed = len(sources.missing), len(sources.changed)
    if missing == sources.count:
        why = f": removed by retention on {removed_at:%Y-%m-%d}" if removed_at else ""
        return f"all {missing} images are gone from the archive{why}"
    return f"of {sources.count} images {missing} are missing from the archive and {changed} have other bytes"


def _otherwise(then: Mapping[str, Any], now: Mapping[str, Any], path: str = "") -> Iterator[Difference]:
    for name in sorted({*then, *now}):
        old, new = then.get(name, ABSENT), now.get(name, ABSENT)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _otherwise(old, new, f"{path}{name}.")
        elif old != new:
            yield Difference(f"{path}{name}", str(old), str(new))
