"""How the node is doing, as one value: `dicom-node status`."""

import shutil
from dataclasses import asdict, dataclass
from typing import Any

from dicom_node.archive.commitment_requests import Standing
from dicom_node.config import Settings
from dicom_node.jobs import State
from dicom_node.keeping.marks import Level, marks_of
from dicom_node.operate.commitments import commitment_counts
from dicom_node.running import holder
from dicom_node.store.overview import Counts
from dicom_node.store.states import DeliveryState


@dataclass(frozen=True, slots=True)
class Health:
    """A moment of the node: `pid` is 0 while it does not run; `troubles` are sentences for a person."""

    pid: int
    port: int
    images: int
    jobs: dict[str, int]
    deliveries: dict[str, int]
    alarms: int
    unproven: int
    commitments: dict[str, int]
    free_mb: int
    reserve_mb: int
    troubles: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Whether nothing needs a person."""
        return not self.troubles

    def as_dict(self) -> dict[str, Any]:
        """The moment as plain values, for JSON."""
        return asdict(self) | {"well": self.well}


def health(settings: Settings, counts: Counts) -> Health:
    """Look at the disk, the lock of the data directory and requests; `counts` are the database's."""
    commitments = commitment_counts(settings)
    owner = holder(settings.data_dir)
    free_bytes = shutil.disk_usage(settings.data_dir).free
    return Health(
        pid=owner.pid if owner else 0,
        port=owner.port if owner else 0,
        images=counts.images,
        jobs=dict(counts.jobs),
        deliveries=dict(counts.deliveries),
        alarms=counts.alarms,
        unproven=counts.unproven,
        commitments=commitments,
        free_mb=free_bytes // 1_000_000,
        reserve_mb=settings.receive.disk_reserve_mb,
        troubles=(*_troubles(counts, free_bytes, settings), *_about_commitments(commitments)),
    )


def _troubles(counts: Counts, free_bytes: int, settings: Settings) -> list[str]:
    troubles = []
    if failed := counts.jobs.get(State.FAILED, 0):
        troubles.append(f"{failed} studies failed; `dicom-node jobs --state failed` says why")
    if counts.alarms:
        troubles.append(
            f"{counts.alarms} studies are withheld, because a result did not match its images; "
            "`dicom-node jobs` marks them, `dicom-node retry STUDY` makes the result anew"
        )
    if counts.unproven:
        troubles.append(
            f"{counts.unproven} delivered objects are not proved to be there; `dicom-node jobs --state "
            "unconfirmed` says why, `dicom-node resend STUDY` sends them again"
        )
    if given_up := counts.deliveries.get(DeliveryState.FAILED, 0):
        troubles.append(f"{given_up} objects were not delivered; `dicom-node retry STUDY` tries again")
    troubles += _about_disk(marks_of(settings).level(free_bytes))
    return troubles


def _about_commitments(commitments: dict[str, int]) -> list[str]:
    if not (lost := commitments.get(Standing.GIVEN_UP, 0)):
        return []
    return [f"{lost} requests for storage commitment were answered to nobody; `dicom-node doctor` says whose"]


def _about_disk(level: Level) -> list[str]:
    if level is Level.FULL:
        return ["the disk is below its reserve: images are being refused with 0xA700"]
    if level is Level.ENOUGH:
        return []
    return [
        "the disk fills up; make room before images are refused (`dicom-node doctor` says how much is left)"
    ]
