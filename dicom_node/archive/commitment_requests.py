"""Requests for storage commitment, as files: what was promised an answer outlives every process.

The receiver writes a request before it answers; the node keeps a second, small file beside it that says how
far the report has come. Names are made of hashes: no AE title and no UID shapes a path.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from dicom_node.archive.durable import DurableWriter, sync_folder

REQUEST, PROGRESS = ".request", ".progress"
_LONGEST_FILE_BYTES = 20_000_000
_NAME = re.compile(r"([0-9a-f]{16})-([0-9a-f]{40})-([0-9a-f]{16})")


def requests_beside(archive_root: Path) -> Path:
    """The folder of requests that belongs to an archive."""
    return archive_root.parent / "commitments"


@dataclass(frozen=True, slots=True)
class CommitmentRequest:
    """Who asked for what: `address` and `association` are those it came from.

    `objects` are (SOP Class UID, SOP Instance UID); `reused` says that this caller has used the
    transaction for other objects.
    """

    transaction_uid: str
    calling: str
    address: str
    association: str
    asked_at: datetime
    objects: tuple[tuple[str, str], ...]
    reused: bool = False

    @property
    def name(self) -> str:
        """Of its files: the same caller, transaction and objects make the same name.

        With a transaction that was in use the name is another, so that it is no use of that transaction.
        """
        used = f"{self.transaction_uid}{' reused' * self.reused}"
        named = "\n".join(f"{one}\t{other}" for one, other in sorted(self.objects))
        return f"{_use(self.calling, used)}-{_hash(named)[:16]}"

    def as_reused(self) -> Self:
        """The same, with a transaction that was in use already."""
        return replace(self, reused=True)


class Standing(StrEnum):
    """How far a request has come."""

    WAITING = "waiting"
    REPORTED = "reported"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of a request so far; `comment` is a sentence on the last try, `at` the time of it."""

    standing: Standing
    calling: str
    transaction_uid: str
    objects: int
    attempts: int
    at: datetime
    next_try_at: datetime | None
    comment: str


class RequestFiles:
    """The folder of requests. Written by the receiver (`keep`) and by the node (everything else)."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._writer = DurableWriter(root)

    def keep(self, request: CommitmentRequest) -> str:
        """Write a request so that it survives a power cut; its name. The same again is written anew.

        Raises:
            OSError: it could not be written, and is not there.
        """
        self._writer.write(self._path(request.name, REQUEST), [_encoded(asdict(request))])
        return request.name

    def names(self, calling: str | None = None) -> list[str]:
        """The requests that are not settled, of one caller or of all."""
        mine = "" if calling is None else f"{_hash(calling)[:16]}-"
        return sorted(name for name in self._stems(REQUEST) if name.startswith(mine))

    def is_reused(self, request: CommitmentRequest) -> bool:
        """Whether the caller has used this transaction for other objects, as far as that is remembered."""
        use = _use(request.calling, request.transaction_uid) + "-"
        known = {*self._stems(REQUEST), *self._stems(PROGRESS)}
        return any(name.startswith(use) and name != request.name for name in known)

    def read(self, name: str) -> CommitmentRequest:
        """A request that was kept.

        Raises:
            OSError: it is gone.
            ValueError: it is no request of ours.
        """
        values = _decoded(self._path(name, REQUEST))
        try:
            objects = tuple((str(one), str(other)) for one, other in values.pop("objects"))
            asked_at = datetime.fromisoformat(values.pop("asked_at"))
            return CommitmentRequest(**values, asked_at=asked_at, objects=objects)
        except (KeyError, TypeError) as error:
            raise ValueError(f"{name} is no request for commitment") from error

    def progress(self, name: str) -> Progress | None:
        """How far a request has come; None if it was not tried yet, or that cannot be read."""
        try:
            return _progress(_decoded(self._path(name, PROGRESS)))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note(self, name: str, progress: Progress) -> None:
        """Write down how far it has come; a request that is settled is then removed.

        Raises:
            OSError: the disk; what was known before stays.
        """
        self._writer.write(self._path(name, PROGRESS), [_encoded(asdict(progress))])
        if progress.standing is not Standing.WAITING:
            self._remove(name, REQUEST)

    def drop(self, name: str) -> None:
        """Remove a request that nobody can read."""
        self._remove(name, REQUEST)

    def known(self) -> Iterator[Progress]:
        """What became of every request that was tried, or is remembered."""
        found = (self.progress(name) for name in sorted(self._stems(PROGRESS)))
        return (one for one in found if one is not None)

    def forget(self, before: datetime, most: int) -> None:
        """Remove what is known of settled requests that are older, or that are more than so many."""
        settled = self._stems(PROGRESS) - self._stems(REQUEST)
        ages = sorted((self._age(name), name) for name in settled)
        surplus = max(len(ages) - most, 0)
        for number, (age, name) in enumerate(ages):
            if number < surplus or age < before.timestamp():
                self._remove(name, PROGRESS)

    def _stems(self, suffix: str) -> set[str]:
        try:
            found = list(self._root.iterdir())
        except FileNotFoundError:
            return set()
        return {path.stem for path in found if path.suffix == suffix and _NAME.fullmatch(path.stem)}

    def _path(self, name: str, suffix: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of a request")
        return self._root / f"{name}{suffix}"

    def _age(self, name: str) -> float:
        try:
            return self._path(name, PROGRESS).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _remove(self, name: str, suffix: str) -> None:
        self._path(name, suffix).unlink(missing_ok=True)
        sync_folder(self._root)


def _use(calling: str, transaction_uid: str) -> str:
    return f"{_hash(calling)[:16]}-{_hash(transaction_uid)[:40]}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _encoded(values: dict[str, Any]) -> bytes:
    return json.dumps(values, default=datetime.isoformat, ensure_ascii=False).encode()


def _decoded(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        values = json.loads(file.read(_LONGEST_FILE_BYTES))
    if not isinstance(values, dict):
        raise ValueError(f"{path.name} is no file of ours")
    return values


def _progress(values: dict[str, Any]) -> Progress:
    next_try_at = values.pop("next_try_at")
    return Progress(
        standing=Standing(values.pop("standing")),
        at=datetime.fromisoformat(values.pop("at")),
        next_try_at=datetime.fromisoformat(next_try_at) if next_try_at else None,
        **values,
    )
