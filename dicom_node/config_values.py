"""The kinds of values a configuration holds, and what makes one valid."""

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field


def _ae_title(value: str) -> str:
    """PS3.5 6.2: AE titles are 1 to 16 printable characters without backslash."""
    if not re.fullmatch(r"[ -\[\]-~]{1,16}", value) or not value.strip():
        raise ValueError("an AE title is 1 to 16 printable ASCII characters, no backslash")
    return value.strip()


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine is behind this address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


AeTitle = Annotated[str, AfterValidator(_ae_title)]
IpAddress = Annotated[str, AfterValidator(lambda value: str(ipaddress.ip_address(value)))]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(ge=0)]

BY_STORE, BY_WEB = "C-STORE", "DICOMweb"
"""The sorts of destinations, as a validation error calls them."""
NotAnalysed = Literal["never", "cine", "always"]
"""Which studies that cannot be analysed get a notice: none, those with a short-axis cine, all."""
ReportForm = Literal["both", "measurements", "text"]
"""Which structured reports there are (`reports.ReportForm`)."""
RemovableState = Literal["delivered", "rejected", "failed"]
"""States of studies whose images may be removed (`jobs.State`): nobody works on them any more."""
AttentionImages = Literal["key_phase", "all_phases"]
"""How the attention map is shown (`reports.AttentionImages`; the receiver does without `reports`)."""
Explain = Literal["auto", "attention", "gradcam", "occlusion"]
"""How maps are made (`models.Explain`)."""
ExtraObject = Literal[
    "parametric_map",
    "segmentation",
    "key_objects",
    "presentation_state",
    "pdf",
    "cardiovascular_report",
]
"""What may be written beside the report (`reports.ExtraObject`)."""
ResultKind = Literal[
    "sr",
    "text",
    "summary",
    "attention",
    "parametric_map",
    "segmentation",
    "key_objects",
    "presentation",
    "pdf",
    "cardiovascular",
    "notice",
    "notice-page",
]
"""What the objects we make are called (`reports.Report.kind`)."""
