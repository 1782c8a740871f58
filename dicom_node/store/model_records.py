"""What is remembered of models that were imported, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

CONFIGURED: Final = "configured"
"""Stands in a line-up for the model that config.yaml names, or that ships with the node."""

BEGINNING: Final[tuple[str, ...]] = (CONFIGURED,)
"""The line-up before anything was activated."""


class Standing(StrEnum):
    """What a model is to the node."""

    CANDIDATE = "candidate"
    ACTIVE = "active"
    SHADOW = "shadow"
    RETIRED = "retired"


class Deed(StrEnum):
    """What can be done with a model."""

    IMPORT = "import"
    ACTIVATE = "activate"
    ROLLBACK = "rollback"
    SHADOW = "shadow"
    STEP_BACK = "step back"
    RETIRE = "retire"


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A model that was imported.

    Attributes:
        digest: of its bundle; also the name of its folder.
        manifest: as it was then.
        standing: what it is to the node now.
        since: when it was last given a standing by hand.
        imported_at: when it came.
        origin: the file or folder it came from.
        signer: fingerprint of the trusted key that signed it; empty if none did.
    """

    digest: str
    manifest: Mapping[str, Any]
    standing: Standing
    since: datetime
    imported_at: datetime
    origin: str
    signer: str

    @property
    def called(self) -> str:
        """Name and version, as people call it."""
        return f"{self.manifest['name']} {self.manifest['version']}"


@dataclass(frozen=True, slots=True)
class NewAct:
    """Something a person does with models. `digest` is empty where it is done to the line-up alone."""

    at: datetime
    who: str
    what: Deed
    digest: str
    reason: str


@dataclass(frozen=True, slots=True)
class ModelAct:
    """The same as remembered, with the line-up from then on: who is asked, first to last."""

    id: int
    at: datetime
    who: str
    what: Deed
    digest: str
    reason: str
    lineup: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShadowTask:
    """A run whose inputs a model in the shadow has not answered to."""

    run_id: int
    study_instance_uid: str
    digest: str


@dataclass(frozen=True, slots=True)
class ShadowAnswer:
    """What came of it; `probability` and `threshold` are None unless `outcome` is "done"."""

    answered_at: datetime
    seconds: float
    outcome: str
    reason: str = ""
    probability: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One answer to the inputs of a run, whoever gave it.

    Attributes:
        model: the model's identity for answers that were reported; empty for those in the shadow.
        digest: of the bundle for answers in the shadow; empty for those that were reported.
    """

    run_id: int
    study_instance_uid: str
    model: Mapping[str, Any]
    digest: str
    probability: float
    threshold: float
