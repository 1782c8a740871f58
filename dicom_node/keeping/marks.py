"""How full the disk is, by the marks at which the node warns, makes room, and refuses."""

from dataclasses import dataclass
from enum import IntEnum

from dicom_node.config import Settings

MEGABYTE = 1_000_000
_WARN_AT = 3  # times the reserve, where no mark is set


class Level(IntEnum):
    """From plenty to none."""

    ENOUGH = 0
    LOW = 1
    """Below the first mark: somebody should make room."""
    SCARCE = 2
    """Below the second: retention makes room, as far as it may."""
    FULL = 3
    """Below the reserve: images are refused with 0xA700."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Free bytes below which each level begins; 0: never."""

    warn_bytes: int
    evict_bytes: int
    reserve_bytes: int

    def level(self, free_bytes: int) -> Level:
        """Where so much free space stands."""
        if free_bytes < self.reserve_bytes:
            return Level.FULL
        if free_bytes < self.evict_bytes:
            return Level.SCARCE
        return Level.LOW if free_bytes < self.warn_bytes else Level.ENOUGH


def marks_of(settings: Settings) -> Marks:
    """The marks that config.yaml sets."""
    reserve_mb, retain = settings.receive.disk_reserve_mb, settings.retain
    warn_mb = _WARN_AT * reserve_mb if retain.warn_below_mb is None else retain.warn_below_mb
    return Marks(warn_mb * MEGABYTE, (retain.evict_below_mb or 0) * MEGABYTE, reserve_mb * MEGABYTE)
