"""What every object we write must know, whatever it says: whose study it is, who signs, and when."""

from datetime import datetime
from typing import Protocol

from pydicom.dataset import Dataset

from models import ModelIdentity
from reports.context import Equipment
from reports.stand_in import StandIns


class Paper(Protocol):
    """The letterhead of one result. highdicom sees UIDs through `ids` and never the patient."""

    @property
    def ids(self) -> StandIns:
        """The source's UIDs as highdicom may see them."""

    @property
    def study_instance_uid(self) -> str:
        """The study, verbatim."""

    @property
    def source_header(self) -> Dataset:
        """The header the result takes patient, study and scanner from."""

    @property
    def equipment(self) -> Equipment:
        """Who signs."""

    @property
    def model(self) -> ModelIdentity | None:
        """Whose answer it is; None where no model answered."""

    @property
    def now(self) -> datetime:
        """The job's stopped clock (timezone-aware UTC)."""

    def uid(self, *purpose: str) -> str:
        """A deterministic UID for one object or series of this result."""

    def seal(self, dataset: Dataset) -> Dataset:
        """`dataset` as highdicom left it, made ours: see `reports.seal.sealed`."""
