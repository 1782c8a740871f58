"""Results that no destination accepts, and destinations that accept none: said before anybody waits."""

from collections.abc import Iterator, Sequence

import structlog

from dicom_node.config import Settings
from dicom_node.config_sections import ReportSettings
from dicom_node.routing import Route, Routes
from dicom_node.store.records import NOTICES

log = structlog.get_logger()

_CALLED = {"presentation_state": "presentation", "cardiovascular_report": "cardiovascular"}
"""Kinds that `report.extra_objects` calls otherwise."""


def say_unrouted(settings: Settings, models: Sequence[str]) -> None:
    """Log it, when the node starts."""
    for sentence in unrouted(settings, *models):
        log.warning("goes-nowhere", reason=sentence)


def unrouted(settings: Settings, *models: str) -> Iterator[str]:
    """A sentence for whatever `destinations[].accepts` leads nowhere; none without destinations.

    `models` are the names of the models in use.
    """
    routes = Routes.of(settings.destinations)
    kinds = kinds_made(settings.report)
    if not routes.all:
        return
    for model in models:
        if lost := [kind for kind in kinds if not any(_takes(route, kind, model) for route in routes.all)]:
            yield f"no destination accepts {', '.join(lost)} of the model {model}; these objects stay here"
    for route in routes.all:
        if not any(_takes(route, kind, model) for kind in kinds for model in models):
            yield f"{route.name} accepts nothing that this node makes with the model {' or '.join(models)}"


def kinds_made(report: ReportSettings) -> tuple[str, ...]:
    """The kinds of objects that are made as config.yaml has it."""
    reports = {"both": ("sr", "text"), "measurements": ("sr",), "text": ("text",)}[report.form]
    extra = (_CALLED.get(name, name) for name in report.extra_objects)
    notices = () if report.not_analysed == "never" else NOTICES
    return (*reports, "summary", "attention", *extra, *notices)


def _takes(route: Route, kind: str, model: str) -> bool:
    return route.takes(kind, "" if kind in NOTICES else model)
