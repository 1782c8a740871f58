"""A study out of the archive under names a person can read: `dicom-node export`."""

import re
import shutil
from itertools import groupby
from pathlib import Path

from dicom_node.archive import Archive
from dicom_node.errors import NodeError
from dicom_node.store import Store
from pipeline import InstanceFacts


def export_study(store: Store, archive: Archive, study_instance_uid: str, folder: Path) -> list[Path]:
    """Copy the current images of a study to `folder/<series>/<number>.dcm`; returns what was written.

    Names are made of what the headers say, reduced to letters, digits and hyphens, and of a running number:
    no header can lead out of `folder`. A file that is there already with other content is not overwritten.

    Raises:
        NodeError: a file with other content is in the way.
    """
    written = []
    for number, members in enumerate(by_series(store, study_instance_uid), start=1):
        description = members[0][0].series_description
        place = folder / f"{number:02d}-{_readable(description) or 'series'}"
        place.mkdir(parents=True, exist_ok=True)
        for count, (_, path) in enumerate(members, start=1):
            written.append(_copy(archive.open(path), place / f"{count:04d}.dcm"))
    return written


def by_series(store: Store, study_instance_uid: str) -> list[list[tuple[InstanceFacts, str]]]:
    """The current images of a study with their paths in the archive, by series, each in its own order."""
    held = zip(store.facts(study_instance_uid), store.paths(study_instance_uid), strict=True)
    ordered = sorted(held, key=lambda one: (_series_key(one[0]), _instance_key(one)))
    return [list(members) for _, members in groupby(ordered, key=lambda one: _series_key(one[0]))]


def _series_key(facts: InstanceFacts) -> tuple[int, str, str]:
    return (facts.series_number or 0, facts.series_description, facts.series_instance_uid)


def _instance_key(held: tuple[InstanceFacts, str]) -> tuple[int, str]:
    facts, _ = held
    return (facts.instance_number or 0, facts.sop_instance_uid)


def _readable(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:40]


def _copy(source: Path, target: Path) -> Path:
    if target.exists() and target.read_bytes() != source.read_bytes():
        raise NodeError(f"{target} holds something else; export into an empty folder")
    shutil.copyfile(source, target)
    return target
