"""Which studies a folder holds, whatever its layout. Files are known by their digests, patients by theirs."""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from models.errors import StudyLost, TrainingRefused
from pipeline import UnreadableInstance, read_facts

logger = logging.getLogger(__name__)

Say = Callable[[str, int, int], None]
"""What is being done, how much of it is, and of how much."""


@dataclass(frozen=True, slots=True)
class Filed:
    """Where a file belongs: its study, and the digest of its Patient ID; both empty if it is not DICOM."""

    study: str = ""
    patient: str = ""


@dataclass(frozen=True, slots=True)
class FoundStudy:
    """A study's files.

    Attributes:
        uid: its Study Instance UID.
        patients: the digests of the Patient IDs that its images name; more than one is a contradiction.
        paths: its files.
        key: digest of its files' digests: another image, another key.
    """

    uid: str
    patients: tuple[str, ...]
    paths: tuple[Path, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Found:
    """Studies by UID, and where each file belongs, by digest, where a header had to say so."""

    studies: Mapping[str, FoundStudy]
    files: Mapping[str, Filed]


def patient_digest(patient_id: str) -> str:
    """What stands for a Patient ID in caches, run folders and bundles; empty for an empty one."""
    wanted = patient_id.strip()
    return hashlib.sha256(wanted.encode("utf-8", "surrogatepass")).hexdigest()[:32] if wanted else ""


def study_key(digests: Iterable[str]) -> str:
    """The key of a study of which these are the files' digests, in any order."""
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()


def find_studies(folder: Path, known: Mapping[str, Filed], say: Say, look: Callable[[Path], Filed]) -> Found:
    """Every study below `folder`.

    `look` reads a header, as `filed` does; a file at which it raises StudyLost is passed over, and looked at
    again another time. It is not asked of a file whose digest is `known`. Raises TrainingRefused if there is
    no such folder.
    """
    if not folder.is_dir():
        raise TrainingRefused(f"{folder} is no folder")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files: dict[str, Filed] = {}
    members: dict[str, dict[str, Path]] = defaultdict(dict)
    for done, path in enumerate(paths, 1):
        digest = _digest(path)
        try:
            belongs = known.get(digest) or files.get(digest) or look(path)
        except StudyLost as error:
            logger.warning("%s is passed over: %s", path, error)
        else:
            files[digest] = belongs
            if belongs.study:
                members[belongs.study].setdefault(digest, path)
        say("looking at files", done, len(paths))
    return Found({uid: _study(uid, of, files) for uid, of in members.items()}, files)


def _study(uid: str, members: Mapping[str, Path], files: Mapping[str, Filed]) -> FoundStudy:
    patients = sorted({files[digest].patient for digest in members} - {""})
    return FoundStudy(uid, tuple(patients), tuple(members.values()), study_key(members))


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise TrainingRefused(f"{path} cannot be read: {error.strerror}") from error


def filed(path: Path) -> Filed:
    """Where a file belongs, as its header says. A stranger's bytes are parsed."""
    try:
        facts = read_facts(path)
    except UnreadableInstance:
        return Filed()
    return Filed(facts.study_instance_uid, patient_digest(facts.patient_id))
