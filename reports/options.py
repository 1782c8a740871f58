"""What a site may choose about its reports."""

from dataclasses import dataclass
from typing import Literal

AttentionImages = Literal["key_phase", "all_phases"]
"""One overlay per slice at the phase of maximal attention, or one per slice that plays all phases."""

ReportForm = Literal["both", "measurements", "text"]
"""The report as measurements for machines and viewers that draw them, as text for readers, or as both."""

ExtraObject = Literal[
    "parametric_map",
    "segmentation",
    "key_objects",
    "presentation_state",
    "pdf",
    "cardiovascular_report",
]
"""Objects beside the report and its pictures, each off unless the site asks for it."""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """The site's choices; every one is part of the report's fingerprint.

    `form` is which structured reports there are. `finding_code` adds the coded finding to the probability.
    `attention_images` is how the map is shown, and `extra_objects` what is written beside.
    """

    form: ReportForm = "both"
    finding_code: bool = True
    attention_images: AttentionImages = "key_phase"
    extra_objects: tuple[ExtraObject, ...] = ()
