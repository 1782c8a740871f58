"""Studies made of header facts alone: what a scanner would send, without pixels."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline import FrameFacts, InstanceFacts

MR = "1.2.840.10008.5.1.4.1.1.4"
ROW = (0.7, 0.7, -0.1414)
DOWN = (-0.31, 0.121, -0.935)
# Of the plane ROW and DOWN span; it points to the base of a heart that lies as usual.
NORMAL = np.cross(ROW, DOWN) / np.linalg.norm(np.cross(ROW, DOWN))


def cine(
    slices: int = 8,
    phases: int = 20,
    *,
    series: str = "1",
    one_series: bool = True,
    rr_ms: float = 800.0,
    step_mm: float = 10.0,
    start_mm: float = 0.0,
    **of_instance: object,
) -> list[InstanceFacts]:
    """A short-axis cine; the slice nearest the apex comes first, so that the order is no help."""
    made = []
    for slice_ in range(slices):
        for phase in range(phases):
            uid = series if one_series else f"{series}.{slice_ + 1}"
            number = slice_ * phases + phase + 1 if one_series else phase + 1
            frame = plane(start_mm + slice_ * step_mm, phase * rr_ms / phases, rr_ms, number)
            made.append(image(uid, frame, f"{series}.{slice_ + 1}.{phase + 1}", number, **of_instance))
    return made


def plane(
    depth_mm: float, trigger_ms: float | None, rr_ms: float | None = 800.0, number: int = 1
) -> FrameFacts:
    """A frame `depth_mm` above the apex."""
    x, y, z = (NORMAL * depth_mm).tolist()
    times = [] if trigger_ms is None else [("TriggerTime", trigger_ms)]
    return FrameFacts(
        number=1,
        position_mm=(x, y, z),
        orientation=(*ROW, *DOWN),
        spacing_mm=(1.4, 1.4),
        times=(*times, ("InstanceNumber", float(number))),
        rr_ms=rr_ms,
        marks=("ORIGINAL", "PRIMARY", "M"),
        acquired_s=100.0,
        echo_ms=1.5,
    )


def image(series: str, frame: FrameFacts, name: str, number: int = 1, **of_instance: object) -> InstanceFacts:
    """A single-frame file that holds `frame`."""
    facts = InstanceFacts(
        study_instance_uid="1.2.3",
        series_instance_uid=f"1.2.3.{series}",
        sop_instance_uid=f"1.2.3.4.{name}",
        sop_class_uid=MR,
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        modality="MR",
        patient_id="P1",
        frame_of_reference_uid="1.2.3.9",
        instance_number=number,
        rows=192,
        columns=224,
        frames=(frame,),
    )
    return replace(facts, **of_instance)  # type: ignore[arg-type]


def with_frames(instances: Sequence[InstanceFacts], **of_frame: object) -> list[InstanceFacts]:
    """The same files with something else in every frame."""
    return [
        replace(instance, frames=tuple(replace(frame, **of_frame) for frame in instance.frames))  # type: ignore[arg-type]
        for instance in instances
    ]


def renamed(instances: Sequence[InstanceFacts], name: str) -> list[InstanceFacts]:
    """Copies under other SOP Instance UIDs."""
    return [
        replace(instance, sop_instance_uid=f"{instance.sop_instance_uid}.{name}") for instance in instances
    ]
