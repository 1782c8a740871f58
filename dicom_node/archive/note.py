"""What remains of an instance that is not analysed: a few lines, no pixels."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Note:
    """An instance was received and answered with Success, and its bytes were not kept.

    `digest` is the SHA-256 of the encoded data set, `size_bytes` its length, `reason` a sentence for `show`.
    """

    study_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    source_ae_title: str
    digest: str
    size_bytes: int
    reason: str

    def as_json(self) -> str:
        """One line; the same note is always the same line."""
        return json.dumps(asdict(self), sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `as_json`."""
        return cls(**json.loads(text))


def read_note(path: Path) -> Note:
    """Read a `.note` file of the archive."""
    return Note.from_json(path.read_text(encoding="utf-8"))
