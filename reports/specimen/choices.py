"""Every choice a site has about its reports, read from `ReportOptions` itself."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

from reports.build import build_reports
from reports.context import Report
from reports.not_analysed import build_notice
from reports.options import ReportOptions
from reports.specimen.subject import Subject

_NOTICE = "not_analysed: cine"  # the node's choice, not the report's: there is no prediction to report on

Kind: TypeAlias = tuple[str, str]
"""What tells objects apart: `Report.kind` and the SOP class."""


def everything() -> ReportOptions:
    """What can be switched on, is."""
    fullest: dict[str, Any] = {name: choices[0] for name, choices in _switches().items()}
    return replace(ReportOptions(), **fullest)


def without(options: ReportOptions) -> Iterator[ReportOptions]:
    """The options with one thing switched off."""
    for name, choices in _switches().items():
        changed: dict[str, Any] = {name: choices[1]}
        yield replace(options, **changed)


def lists_emptied(options: ReportOptions) -> ReportOptions:
    """The options with every list of choices empty."""
    changed: dict[str, Any] = {name: () for name, hint in _hints().items() if get_origin(hint) is tuple}
    return replace(options, **changed)


def exclusive_choices(options: ReportOptions) -> Iterator[ReportOptions]:
    """The options with the first choices of all that exclude each other, with the second ones, and so on."""
    exclusive = {name: get_args(hint) for name, hint in _hints().items() if get_origin(hint) is Literal}
    for place in range(max(map(len, exclusive.values()))):
        chosen: dict[str, Any] = {
            name: choices[min(place, len(choices) - 1)] for name, choices in exclusive.items()
        }
        yield replace(options, **chosen)


def _switches() -> dict[str, tuple[Any, Any]]:
    """Options that are on or off, and lists of choices that are full or empty."""
    return {
        name: (True, False) if hint is bool else (get_args(get_args(hint)[0]), ())
        for name, hint in _hints().items()
        if hint is bool or get_origin(hint) is tuple
    }


def _hints() -> dict[str, Any]:
    return get_type_hints(ReportOptions)


def kind_of(report: Report) -> Kind:
    """The kind of one object."""
    return report.kind, str(report.dataset.SOPClassUID)


def needed_options() -> dict[Kind, str]:
    """For every kind not written by default, the first single choice, "name: value", that it takes."""
    usual = _kinds(ReportOptions())
    needed = {kind_of(report): _NOTICE for report in build_notice(Subject().notice())}
    for label, options in _single_choices():
        for kind in sorted(_kinds(options) - usual):
            needed.setdefault(kind, label)
    return needed


def _single_choices() -> Iterator[tuple[str, ReportOptions]]:
    usual = ReportOptions()
    for name, hint in _hints().items():
        listed = get_origin(hint) is tuple
        for choice in get_args(get_args(hint)[0] if listed else hint):
            if choice not in (getattr(usual, name), ...):
                changed: dict[str, Any] = {name: (choice,) if listed else choice}
                yield f"{name}: [{choice}]" if listed else f"{name}: {choice}", replace(usual, **changed)


def _kinds(options: ReportOptions) -> set[Kind]:
    return {kind_of(report) for report in build_reports(Subject(options=options).context())}
