"""What is asked of the process that de-identifies, and what it answers: JSON on its pipes."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """Images of one patient to export.

    Attributes:
        key: of the pseudonyms, in hexadecimal; it goes through a pipe, for arguments are seen by all.
        subject: who the patient is (`Pseudonyms.subject`).
        files: path in the archive and path to write, empty for a dry run.
        read, write, private: folders to be confined to (`confinement.Folders`).
        confined: whether to be.
    """

    key: str
    subject: str
    files: tuple[tuple[str, str], ...]
    read: tuple[str, ...]
    write: tuple[str, ...]
    private: tuple[str, ...]
    confined: bool

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> "Order":
        """The inverse of `as_json`."""
        values = json.loads(line)
        return cls(**values | {"files": tuple((source, target) for source, target in values["files"])})


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one image, in the order of the files.

    Attributes:
        left_out: why it was not exported; empty if it was.
        clear: whether it says itself that no name is burned into its pixels.
    """

    left_out: str
    clear: bool

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> "Answer":
        """The inverse of `as_json`."""
        return cls(**json.loads(line))
