"""What a report is written from, and what it is when written."""

import hashlib
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from models import Method, Prediction
from pipeline import CineVolume, Study
from reports.options import ReportOptions

_NAMESPACE = uuid.UUID("0d2d9f0b-4a0e-5f0c-9a55-2a9f1f6b7c31")


def stable_uid(*parts: str) -> str:
    """A UID in the 2.25 arc (PS3.5 B.2) that depends on `parts` alone."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, chr(0x1F).join(parts)).int}"


@dataclass(frozen=True, slots=True)
class Equipment:
    """Who signs: the node as DICOM equipment (PS3.3 C.7.5.1)."""

    manufacturer: str
    model_name: str
    software_version: str
    serial_number: str
    station_name: str

    @property
    def device_uid(self) -> str:
        """The same for one node for ever."""
        return stable_uid("device", self.manufacturer, self.model_name, self.serial_number)


@dataclass(frozen=True, slots=True)
class PriorReport:
    """An SR of ours that the new one supersedes (PS3.3 C.17.2, Predecessor Documents Sequence)."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str


@dataclass(frozen=True, slots=True)
class InputQuality:
    """What the reader must know about the input.

    `completeness` is one sentence on slices x phases; `limits` are sentences on what was missing, filled,
    resampled or assumed; `limited` decides between RID12 Diagnostic and RID13 Limited (CID 7036).
    """

    completeness: str
    limits: tuple[str, ...] = ()
    limited: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ReportContext:
    """Everything a report may depend on; `now` is the job's stopped clock (timezone-aware UTC)."""

    study: Study
    volume: CineVolume
    prediction: Prediction
    quality: InputQuality
    equipment: Equipment
    now: datetime
    priors: tuple[PriorReport, ...] = ()
    options: ReportOptions = ReportOptions()
    config_sha256: str = ""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over whatever can change a byte of a report, so that one UID has one content (PS3.5 9).

        Costs a pass over voxels and map: whoever needs many UIDs keeps it.
        """
        model = self.prediction.model
        with ThreadPoolExecutor(1) as beside:  # hashing lets other threads run: two cores, half the time
            attention = beside.submit(_digest, self.prediction.attention)
            voxels = self.volume.digest
        parts = (
            self.volume.study_instance_uid,
            voxels,
            self.volume.frame_of_reference_uid,
            repr((self.volume.sources, self.volume.filled, self.volume.notes)),
            repr(model),
            f"{self.prediction.probability:.9f} {self.prediction.threshold:.9f}",
            attention.result(),
            repr((self.prediction.attention_method, self.prediction.notes, self.prediction.centre)),
            repr((self.quality, self.equipment, self.priors)),
            repr((self.options, self.config_sha256)),
            self.now.isoformat(),
            *self._other_than_attention,
        )
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()

    @property
    def _other_than_attention(self) -> tuple[str, ...]:
        """How the map was made, or why there is none; nothing for attention: its reports keep their UIDs."""
        how, why = self.prediction.explained_by, self.prediction.why_no_map
        return () if how is Method.ATTENTION and not why else (how.value, why)

    def uid(self, *purpose: str) -> str:
        """A deterministic UID for one object, series or tracked finding of this result."""
        return stable_uid(self.fingerprint, *purpose)


def _digest(attention: NDArray[np.float32] | None) -> str:
    return "" if attention is None else hashlib.sha256(np.ascontiguousarray(attention).data).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """One finished object; `dataset` saves as a Part 10 file.

    `kind` is "sr" (measurements), "text", "summary", "attention", or that of an extra object.
    """

    kind: str
    dataset: Dataset
