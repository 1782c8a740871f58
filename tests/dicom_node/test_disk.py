"""Marks on the disk: told when they are crossed, acted on while they are."""

from structlog.testing import capture_logs

from dicom_node.config import Settings
from dicom_node.keeping.disk import DiskWatch
from dicom_node.keeping.marks import Level, Marks, marks_of

MB = 1_000_000
MARKS = Marks(warn_bytes=300 * MB, evict_bytes=200 * MB, reserve_bytes=100 * MB)


class Disk:
    """So much is free; making room frees what may go."""

    def __init__(self, free_mb: int, removable_mb: int = 0) -> None:
        self.free, self.removable, self.asked = free_mb * MB, removable_mb * MB, 0

    def make_room(self) -> None:
        self.asked += 1
        self.free += self.removable
        self.removable = 0


def test_each_mark_begins_its_level() -> None:
    levels = [MARKS.level(free * MB) for free in (300, 299, 200, 199, 100, 99)]
    assert levels == [Level.ENOUGH, Level.LOW, Level.LOW, Level.SCARCE, Level.SCARCE, Level.FULL]


def test_without_marks_of_its_own_a_site_is_warned_at_three_times_the_reserve() -> None:
    assert marks_of(Settings()) == Marks(3072 * MB, 0, 1024 * MB)
    chosen = Settings.model_validate({"retain": {"warn_below_mb": 7, "evict_below_mb": 5}})
    assert marks_of(chosen) == Marks(7 * MB, 5 * MB, 1024 * MB)


def test_a_crossed_mark_is_said_once_and_room_again_too() -> None:
    disk = Disk(400)
    watch = DiskWatch(lambda: disk.free, MARKS, disk.make_room)
    with capture_logs() as lines:
        for free in (400, 250, 250, 50, 50, 400, 400):
            disk.free = free * MB
            watch.tick()
    assert [line["event"] for line in lines] == ["disk-low", "disk-full", "disk-has-room"]


def test_room_is_made_below_the_second_mark_and_no_sooner() -> None:
    disk = Disk(250, removable_mb=500)
    watch = DiskWatch(lambda: disk.free, MARKS, disk.make_room)
    assert (watch.tick(), disk.asked) == (Level.LOW, 0)
    disk.free = 150 * MB
    assert (watch.tick(), disk.asked) == (Level.ENOUGH, 1)


def test_below_the_reserve_room_is_asked_for_as_long_as_there_is_none() -> None:
    disk = Disk(50)
    watch = DiskWatch(lambda: disk.free, MARKS, disk.make_room)
    assert [watch.tick(), watch.tick()] == [Level.FULL, Level.FULL]
    assert disk.asked == 2
