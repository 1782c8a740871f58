"""Watches how full the disk is, and has room made."""

from collections.abc import Callable
from typing import final

from dicom_node.keeping.marks import MEGABYTE, Level, Marks
from dicom_node.log import logger

log = logger(__name__)


@final
class DiskWatch:
    """Says when the disk crosses a mark, and has room made below the second."""

    def __init__(self, free_bytes: Callable[[], int], marks: Marks, make_room: Callable[[], object]) -> None:
        self._free_bytes = free_bytes
        self._marks = marks
        self._make_room = make_room
        self._last = Level.ENOUGH

    def tick(self) -> Level:
        """Look at the disk; where it stands after what could be done about it."""
        free = self._free_bytes()
        if self._marks.level(free) >= Level.SCARCE:
            self._make_room()
            free = self._free_bytes()
        level = self._marks.level(free)
        if level is not self._last:
            self._tell(level, free)
        self._last = level
        return level

    def _tell(self, level: Level, free_bytes: int) -> None:
        facts = {"level": level.name.lower(), "free_mb": free_bytes // MEGABYTE}
        if level is Level.ENOUGH:
            log.info("disk-has-room", **facts)
        elif level is Level.FULL:
            log.error("disk-full", **facts, reserve_mb=self._marks.reserve_bytes // MEGABYTE)
        else:
            log.warning("disk-low", **facts)
