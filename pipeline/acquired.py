"""When a plane was acquired (PS3.3 C.7.6.1, C.7.6.16.2.2)."""

from collections.abc import Sequence
from datetime import date

from pipeline.header import Elements, text
from pipeline.remembered import remembered

_TAGS = ("FrameAcquisitionDateTime", "AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime")


def acquired_s(layers: Sequence[Elements]) -> float | None:
    """Seconds since midnight, or since the year 1 where the day is known; None if neither is.

    So re-acquisitions sort, and gaps can be measured. `layers`: what says it, the frame's own first.
    """
    return _of_file(layers[0]) if len(layers) == 1 else _acquired_s(layers)


def _acquired_s(layers: Sequence[Elements]) -> float | None:
    for layer in layers:
        moment = text(layer, "FrameAcquisitionDateTime") or text(layer, "AcquisitionDateTime")
        if len(moment) >= 14:
            return _seconds(moment[:8], moment[8:])
    for layer in layers:
        clock = text(layer, "AcquisitionTime")
        if clock:
            return _seconds(text(layer, "AcquisitionDate"), clock)
    return None


_of_file = remembered(lambda dataset: _acquired_s([dataset]), _TAGS)


def _seconds(day: str, clock: str) -> float | None:
    clock = clock.replace(":", "").split("+")[0].split("-")[0]
    try:
        seconds = int(clock[:2]) * 3600 + int(clock[2:4] or 0) * 60 + float(clock[4:] or 0)
    except ValueError:
        return None
    try:
        return date(int(day[:4]), int(day[4:6]), int(day[6:8])).toordinal() * 86_400 + seconds
    except ValueError:
        return seconds
