"""What is asked of the process that decodes, and what it answers: JSON on its pipes, a line each."""

import json
from dataclasses import asdict, dataclass, field

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class Order:
    """What comes first: what the process is confined to.

    Attributes:
        read, private: folders and files (`confinement.Folders`); there is none that it writes.
        memory_mb: the most memory it may take, in 10^6 bytes; None: no limit of ours.
        confined: whether to be.
    """

    read: tuple[str, ...]
    private: tuple[str, ...]
    memory_mb: int | None
    confined: bool

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> "Order":
        """The inverse of `as_json`."""
        return cls(**json.loads(line))


@dataclass(frozen=True, slots=True)
class Task:
    """A study to prepare, or, without a recipe, one file of which to say where it belongs.

    Attributes:
        paths: the files.
        patients: how many patients they name.
        recipe: `Preprocessing.as_json`.
    """

    paths: tuple[str, ...]
    patients: int = 0
    recipe: str = ""

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> "Task":
        """The inverse of `as_json`."""
        values = json.loads(line)
        return cls(**values | {"paths": tuple(values["paths"])})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a task.

    Attributes:
        study, patient: where a file belongs (`models.training.studies.Filed`).
        cine: of a study that was prepared, its volume: the array's bytes in base 64.
        groups, simulated: see `models.training.preparing.PreparedStudy`.
        refused: why a study cannot be prepared; empty if it was.
        short: whether want of memory is why, so that it might be another time.
    """

    study: str = ""
    patient: str = ""
    cine: str = ""
    groups: dict[str, str] = field(default_factory=dict)
    simulated: bool = False
    refused: str = ""
    short: bool = False

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> "Answer":
        """The inverse of `as_json`.

        Raises:
            pydantic.ValidationError: the line is something else.
        """
        return _ANSWER.validate_json(line)


_ANSWER = TypeAdapter(Answer)
