"""Results that no destination accepts, and destinations that accept none: said before anybody waits."""

from collections.abc import Iterator

import structlog

from dicom_node.config import Settings
from dicom_node.config_sections import ReportSettings
from dicom_node.routing import Route, Routes
from dicom_node.store.records import NOTICES
from models import ModelError, read_manifest

log = structlog.get_logger()

_CALLED = {"presentation_state": "presentation", "cardiovascular_report": "cardiovascular"}
"""Kinds that `report.extra_objects` calls otherwise."""


def say_unrouted(settings: Settings) -> None:
    """Log it, when the node starts."""
    try:
        model = read_manifest(settings.model.bundle).name
    except ModelError:
        return  # every study will say so
    for sentence in unrouted(settings, model):
        log.warning("goes-nowhere", reason=sentence)


def unrouted(settings: Settings, model: str) -> Iterator[str]:
    """A sentence for whatever `destinations[].accepts` leads nowhere; none without destinations.

    `model` is the name of the model in use.
    """
    routes = Routes.of(settings.destinations)
    kinds = kinds_made(settings.report)
    if not routes.all:
        return
    if lost := [kind for kind in kinds if not any(_takes(route, kind, model) for route in routes.all)]:
        yield f"no destination accepts {', '.join(lost)} of the model {model}; these objects stay here"
    for route in routes.all:
        if not any(_takes(route, kind, model) for kind in kinds):
            yield f"{route.name} accepts nothing that this node makes with the model {model}"


def kinds_made(report: ReportSettings) -> tuple[str, ...]:
    """The kinds of objects that are made as config.yaml has it."""
    reports = {"both": ("sr", "text"), "measurements": ("sr",), "text": ("text",)}[report.form]
    extra = (_CALLED.get(name, name) for name in report.extra_objects)
    notices = () if report.not_analysed == "never" else NOTICES
    return (*reports, "summary", "attention", *extra, *notices)


def _takes(route: Route, kind: str, model: str) -> bool:
    return route.takes(kind, "" if kind in NOTICES else model)
