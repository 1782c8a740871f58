"""Which specimens are written: everything once, then again with one thing changed at a time."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from reports.build import build_reports
from reports.context import Report
from reports.created import CodeUse
from reports.not_analysed import build_notice
from reports.specimen.attributes import attributes_of
from reports.specimen.choices import Kind, everything, exclusive_choices, kind_of, lists_emptied, without
from reports.specimen.content import root_of
from reports.specimen.growth import Node
from reports.specimen.subject import Subject, written_values
from reports.specimen.terms import code_uses


class Cause(StrEnum):
    """What a value can follow from."""

    SOURCE = "the source images"
    CONFIGURATION = "the configuration"
    VERSION = "the software version"
    MODEL = "the model"
    METHOD = "how the map is made"
    ANSWER = "the result"
    CLOCK = "the time of the analysis"


@dataclass(frozen=True, slots=True, eq=False)
class Specimen:
    """What one object says: attributes, content tree, codes. The object, with its pixels, is let go."""

    kind: Kind
    attributes: Node
    content: Node
    codes: tuple[CodeUse, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """The objects of one subject.

    Attributes:
        specimens: all of them, in the order of writing.
        stated: every value in the headers of its source.
        base: the run this one differs from; None for one that others are compared with.
        cause: in what it differs; None where it only shows what can be missing.
    """

    specimens: tuple[Specimen, ...]
    stated: frozenset[str]
    base: int | None = None
    cause: Cause | None = None


# `Subject` says what the two choices of each are.
_INPUTS: dict[Cause, str] = {
    Cause.SOURCE: "source",
    Cause.CONFIGURATION: "equipment",
    Cause.VERSION: "version",
    Cause.MODEL: "model",
    Cause.METHOD: "method",
    Cause.ANSWER: "answer",
    Cause.CLOCK: "clock",
}

# What shows more of what can be missing, and in one more answer.
_LESS: tuple[dict[str, Any], ...] = (
    {"sparse": True},
    {"placed": False},
    {"mapped": False, "replaced": 0},
    {"method": 2},
    {"answer": 2},
)
_LEAST: dict[str, Any] = {"sparse": True, "placed": False}


def all_runs() -> tuple[Run, ...]:
    """Every input and every option, in each of its values at least once.

    What is written differs by the options that exclude each other, so the inputs are changed under each of
    their choices; the source is multi-frame for all but the first. What can be written beside is there once.
    """
    full, *others = exclusive_choices(everything())
    first = Subject(options=full)
    further = [Subject(options=other, enhanced=True) for other in others]
    runs: list[Run] = []
    for subject in (first, *(replace(one, options=lists_emptied(one.options)) for one in further)):
        base = len(runs)
        runs.append(_run(subject))
        runs.extend(_run(_other(subject, name), base, cause) for cause, name in _INPUTS.items())
    runs.extend(_run(replace(first, **less)) for less in _LESS)
    runs.extend(_run(replace(one, **_LEAST)) for one in further)
    runs.extend(_run(Subject(options=options)) for options in without(full))
    return tuple(runs)


def _other(subject: Subject, name: str) -> Subject:
    changed: dict[str, Any] = {name: 1}
    return replace(subject, **changed)


def _run(subject: Subject, base: int | None = None, cause: Cause | None = None) -> Run:
    context = subject.context()
    written = (*build_reports(context), *build_notice(subject.notice()))
    return Run(tuple(_specimen(report) for report in written), written_values(context), base, cause)


def _specimen(report: Report) -> Specimen:
    dataset = report.dataset
    return Specimen(kind_of(report), attributes_of(dataset), root_of(dataset), code_uses(dataset))
