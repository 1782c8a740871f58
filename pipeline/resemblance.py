"""Whether a study holds enough of a short-axis cine that its reader expects a result."""

import math
from collections import Counter
from collections.abc import Iterable

from pipeline.acquisition import FEWEST_PHASES
from pipeline.facts import InstanceFacts
from pipeline.planes import USUAL_AXIS, Plane, is_other_view_by_name, is_short_axis_by_name
from pipeline.selection import why_not_cine

_FACING = math.cos(math.radians(40.0))
_FEWEST_IF_NAMED = 2


def resembles_cine(instances: Iterable[InstanceFacts]) -> bool:
    """Whether one place was imaged repeatedly, by a series called a short axis or lying like one.

    For studies without a stack, which may lack slices, phases or both. A series that only lies like a short
    axis must show a whole beat.
    """
    planes = [
        Plane(instance, frame)
        for instance in instances
        for frame in instance.frames
        if not why_not_cine(instance, frame)
    ]
    places: dict[tuple[object, ...], Plane] = {}
    images: Counter[tuple[object, ...]] = Counter()
    for plane in planes:
        position = tuple(round(mm) for mm in plane.frame.position_mm)
        place = (plane.instance.series_instance_uid, plane.frame.orientation, position)
        places.setdefault(place, plane)
        images[place] += 1
    return any(_looks_like_it(plane, images[place]) for place, plane in places.items())


def _looks_like_it(plane: Plane, images: int) -> bool:
    if is_short_axis_by_name(plane.instance):
        return images >= _FEWEST_IF_NAMED
    faces = abs(float(plane.normal @ USUAL_AXIS)) > _FACING
    return images >= FEWEST_PHASES and faces and not is_other_view_by_name(plane.instance)
