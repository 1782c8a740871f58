"""The audit log: who did what when, each entry bound to all before it by their hash.

One line of JSON per entry in one file, which is only ever appended to. It lies beside the database and not in
it, so that a database that was altered, or restored from a backup, does not take the log along.
"""

import fcntl
import hashlib
import json
import os
import pwd
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, final

from dicom_node.errors import AuditUnwritable

_NAME = "audit.log"
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Act:
    """Something worth an entry.

    Attributes:
        what: one word: "job", "start", "retry", ...
        subject: the study, file or destination it was done to; may be empty.
        detail: a sentence; never a patient's name.
        event: the last job event that is in the log with this entry; None: as before.
        config: SHA-256 of the configuration in force; None: as before.
    """

    at: datetime
    what: str
    subject: str = ""
    detail: str = ""
    event: int | None = None
    config: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log; `former` is the hash of the line before, `hash` that of everything else here."""

    number: int
    at: str
    who: str
    what: str
    subject: str
    detail: str
    event: int
    config: str
    former: str
    hash: str = ""

    def sealed(self) -> str:
        """The hash that this entry must have."""
        values = asdict(self)
        del values["hash"]
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Broken:
    """The first entry that is not as it was written: its number, from 1, and what is wrong."""

    number: int
    reason: str


BEGINNING = Entry(0, "", "", "", "", "", 0, "", "", "0" * 64)
"""What stands before the first entry."""


@final
class AuditLog:
    """The log of one data directory. Several processes may append; what `append` returned is on the disk."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / _NAME

    def append(self, acts: Sequence[Act]) -> Entry:
        """Write an entry for each act; returns the last entry of the log.

        Raises:
            AuditUnwritable: nothing was written, or a part that the next append removes.
        """
        with self._locked() as file:
            last = _last(file)
            lines = []
            for act in acts:
                last = _entry(act, last)
                lines.append(json.dumps(asdict(last)).encode() + b"\n")
            file.write(b"".join(lines))
            file.flush()
            os.fsync(file.fileno())
            return last

    def last(self) -> Entry:
        """The last entry; `BEGINNING` if there is none.

        Raises:
            AuditUnwritable: the file cannot be opened.
        """
        with self._locked() as file:
            return _last(file)

    def entries(self) -> Iterator[Entry | Broken]:
        """Every entry, oldest first; it ends with a `Broken` if one is not as it was written."""
        former = BEGINNING
        try:
            with self._path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    entry = _read(line, former, number)
                    yield entry
                    if isinstance(entry, Broken):
                        return
                    former = entry
        except FileNotFoundError:
            return

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        try:
            with os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield file
        except OSError as error:
            raise AuditUnwritable(
                f"the audit log {self._path} cannot be written: {error.strerror}"
            ) from error


def os_user() -> str:
    """The operating system's name for who runs us; the number if it has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _entry(act: Act, former: Entry) -> Entry:
    unsealed = Entry(
        number=former.number + 1,
        at=act.at.isoformat(),
        who=os_user(),
        what=act.what,
        subject=act.subject,
        detail=act.detail,
        event=former.event if act.event is None else act.event,
        config=former.config if act.config is None else act.config,
        former=former.hash,
    )
    values = asdict(unsealed)
    return Entry(**values | {"hash": unsealed.sealed()})


def _read(line: bytes, former: Entry, number: int) -> Entry | Broken:
    try:
        entry = _parsed(line)
    except (ValueError, TypeError):
        return Broken(number, "the line is no entry")
    if entry.sealed() != entry.hash:
        return Broken(number, "its content was altered")
    if (entry.number, entry.former) != (number, former.hash):
        return Broken(number, "an entry before it was removed, added or altered")
    return entry


def _parsed(line: bytes) -> Entry:
    values = json.loads(line)
    if not isinstance(values, dict) or set(values) != {one.name for one in fields(Entry)}:
        raise ValueError("not an entry")
    return Entry(**values)


def _last(file: BinaryIO) -> Entry:
    """The last whole line, with the file cut behind it: what follows is a write that a crash interrupted."""
    size = start = file.seek(0, os.SEEK_END)
    tail = b""
    while start > 0 and tail.count(b"\n") < 2:
        start = max(start - _BLOCK, 0)
        file.seek(start)
        tail = file.read(size - start)
    whole = tail[: tail.rfind(b"\n") + 1]
    file.truncate(file.seek(start + len(whole)))
    if not whole:
        return BEGINNING
    try:
        return _parsed(whole.splitlines()[-1])
    except (ValueError, TypeError) as error:
        raise AuditUnwritable(
            "the last entry of the audit log is damaged; `dicom-node audit verify` says more, and a log that "
            "is moved away is begun anew"
        ) from error
