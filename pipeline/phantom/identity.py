"""Unique identifiers of simulated objects: the same heart and scan always get the same ones."""

import uuid

from pipeline.phantom.heart import Heart
from pipeline.phantom.scan import Scan
from pipeline.phantom.variant import Variant

_NAMESPACE = uuid.UUID("6f0cdb0e-9d0c-5b8c-8a53-6a5b0f3a9c11")


def study_uid(heart: Heart, scan: Scan) -> str:
    """The study that `scan` of `heart` is; a UUID-derived UID (PS3.5 B.2)."""
    apart = () if heart.variant == Variant() else (heart.variant,)
    return _uid(repr((heart, scan, *apart)))


def part_uid(study: str, *role: object) -> str:
    """What plays `role` in a study, such as ("instance", "GE", "SAX", phase, slice)."""
    return _uid("/".join(map(str, (study, *role))))


def _uid(name: str) -> str:
    return f"2.25.{uuid.uuid5(_NAMESPACE, name).int}"
