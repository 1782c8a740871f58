"""One UID, one content (PS3.5 9): the same study gives the same bytes anywhere, and any change other UIDs."""

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from models import Method
from pipeline import Instance, Study
from pipeline.centre import Centre
from reports import (
    InputQuality,
    NoticeContext,
    PriorReport,
    Refusal,
    Report,
    ReportContext,
    build_notice,
    build_reports,
)
from reports.charset import text_of
from reports.draft import Draft
from reports.equipment import model_device_uid
from reports.sr_class import SR_CLASSES
from tests.reports.made import everything
from tests.reports.scans import EQUIPMENT, FRAME_UID, NOW, model, one_multiframe, single_frames, small_context

ROOT = Path(__file__).parents[2]
PRIORS = (PriorReport(SR_CLASSES[0], "1.2.3", "1.2.4"),)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> ReportContext:
    """A context in which no tuple is empty, so that each of its leaves can be changed."""
    context = small_context(
        tmp_path_factory.mktemp("full"),
        quality=InputQuality("complete", ("One slice was filled.",)),
        priors=PRIORS,
        options=everything(),
        config_sha256="00",
    )
    volume = replace(context.volume, filled=((0, 1),), notes=("Phases were resampled.",))
    answer = replace(context.prediction, centre=Centre(30.0, 25.0, "found by motion"))
    return replace(context, volume=volume, prediction=answer)


def saved(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def uids(reports: list[Report]) -> set[str]:
    """SOP and Series Instance UIDs of what was made."""
    names = ("SOPInstanceUID", "SeriesInstanceUID")
    return {text_of(report.dataset, name) for report in reports for name in names}


def changed(value: Any) -> Any:
    """Another value of the same type; a type nobody thought of is an error here, not a silent pass."""
    if isinstance(value, tuple) and value:
        first = next(variants(value[0]))[1] if is_dataclass(value[0]) else changed(value[0])
        return (first, *value[1:])
    for kind, change in CHANGES.items():
        if isinstance(value, kind):
            return change(value)
    raise AssertionError(f"how does a {type(value).__name__} change? {value!r}")


def _nudged(array: Any) -> Any:
    other = array.copy()
    other[(-1,) * other.ndim] += 0.125
    return other


CHANGES: dict[type, Callable[[Any], Any]] = {
    Method: lambda value: next(
        other for other in Method if other is not value
    ),  # before str, which it is too
    bool: lambda value: not value,  # before int, which it is too
    int: lambda value: value + 1,
    float: lambda value: value / 2 + 0.125,
    str: lambda value: f"{value}1",
    datetime: lambda value: value + timedelta(seconds=1),
    np.ndarray: _nudged,
}


def variants(value: Any, *, leave: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """A dataclass with one leaf changed, for every leaf, named by its path."""
    for field in fields(value):
        if field.name in leave:
            continue
        old = getattr(value, field.name)
        if is_dataclass(old):
            for name, new in variants(old):
                yield f"{field.name}.{name}", replace(value, **{field.name: new})
        else:
            yield field.name, replace(value, **{field.name: changed(old)})


def test_every_field_of_a_context_changes_every_uid(full: ReportContext) -> None:
    keys = {"as it was": Draft.of(full).key}
    for name, other in variants(full, leave=("study",)):
        keys[name] = Draft.of(other).key
    assert len(keys) > 40
    assert [name for name in keys if list(keys.values()).count(keys[name]) > 1] == []


def test_an_absent_map_changes_every_uid(full: ReportContext) -> None:
    without = replace(full, prediction=replace(full.prediction, attention=None))
    assert Draft.of(without).key != Draft.of(full).key


ALTERED = {
    **dict.fromkeys(("PN", "LO", "SH", "ST", "LT", "CS"), "ALTERED"),
    "DA": "20250102",
    "TM": "010203",
    "DS": "7.5",
    "IS": "7",
    "AS": "050Y",
}


def altered(study: Study, keywords: set[str]) -> Study:
    """The study with other values of these attributes wherever they stand in a header."""
    instances = []
    for instance in study.instances:
        header = deepcopy(instance.header)
        for element in header.iterall():
            if element.keyword in keywords and not element.is_empty:
                element.value = [ALTERED[element.VR]] * element.VM if element.VM > 1 else ALTERED[element.VR]
        if "TimezoneOffsetFromUTC" in keywords:
            header.TimezoneOffsetFromUTC = "-0300"
        instances.append(Instance(instance.path, instance.facts, header))
    return Study(study.uid, tuple(instances), study.unreadable)


def wordy(image: Dataset) -> None:
    """A header with everything that a report might think of using."""
    image.TimezoneOffsetFromUTC, image.PatientIdentityRemoved = "+0100", "NO"
    image.PatientAge, image.PatientWeight, image.PatientSize = "064Y", "70", "1.7"
    image.PatientComments, image.InstitutionName, image.StationName = "none", "Hospital", "MR1"
    image.DeviceSerialNumber, image.SoftwareVersions, image.ProtocolName = "1", "2", "cine"
    image.WindowCenter, image.WindowWidth, image.LossyImageCompression = "300", "600", "00"
    image.BodyPartExamined, image.PatientPosition, image.ImageType = (
        "HEART",
        "HFS",
        ["ORIGINAL", "PRIMARY", "M"],
    )
    image.PerformedProcedureStepDescription, image.OperatorsName = "Heart", "Nobody"


@pytest.mark.parametrize("write", [single_frames, one_multiframe])
def test_nothing_of_a_header_reaches_a_result_unless_the_uids_know(
    tmp_path: Path, write: Callable[..., Any]
) -> None:
    context = small_context(tmp_path, write=write, change=wordy, options=everything())
    header = context.study.instances[0].header
    keywords = {element.keyword for element in header.iterall() if element.VR in ALTERED}
    key = Draft.of(context).key
    unknown = {
        keyword
        for keyword in keywords
        if Draft.of(replace(context, study=altered(context.study, {keyword}))).key == key
    }
    assert {"PatientName", "StudyDate", "Manufacturer", "SliceThickness", "WindowWidth"}.isdisjoint(unknown)
    assert "OperatorsName" in unknown
    before = build_reports(context)
    after = build_reports(replace(context, study=altered(context.study, unknown)))
    for one, other in zip(before, after, strict=True):
        assert one.dataset == other.dataset, one.kind
        assert saved(one.dataset) == saved(other.dataset), one.kind


def test_every_object_takes_its_uids_from_the_context(full: ReportContext) -> None:
    before = build_reports(full)
    assert len(uids(before)) > len(before)
    later = replace(full, now=full.now + timedelta(seconds=1))
    assert not uids(before) & uids(build_reports(later))


def test_the_second_study_of_a_patient_shares_no_uid_with_the_first(tmp_path: Path) -> None:
    def next_visit(image: Dataset) -> None:
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            image[keyword].value = f"{image[keyword].value}.2"[-64:].lstrip(".0")

    first = build_reports(small_context(tmp_path / "first", options=everything()))
    second = build_reports(small_context(tmp_path / "second", change=next_visit, options=everything()))
    shared = ours(first) & ours(second)
    assert shared == {EQUIPMENT.device_uid, model_device_uid(model()), FRAME_UID}


def ours(reports: list[Report]) -> set[str]:
    """Every UID anywhere in what was made, but those of the standard."""
    found = {
        str(value)
        for report in reports
        for element in report.dataset.iterall()
        if element.VR == "UI"
        for value in (element.value if element.VM > 1 else [element.value])
    }
    return {uid for uid in found if not uid.startswith("1.2.840.10008.")}


def notice(folder: Path) -> NoticeContext:
    context = small_context(folder)
    images = tuple(plane for phase in context.volume.sources for plane in phase)
    refusal = Refusal("incomplete", "Slice 2 has 4 of 5 phases")
    return NoticeContext(context.study, images, refusal, EQUIPMENT, NOW, PRIORS, "00")


def test_every_field_of_a_notice_changes_every_uid(tmp_path: Path) -> None:
    context = notice(tmp_path)
    others = [
        *variants(context, leave=("study", "images", "refusal")),
        ("images", replace(context, images=context.images[:-1])),
        ("their order", replace(context, images=(context.images[0], *context.images[:0:-1]))),
        ("cause", replace(context, refusal=replace(context.refusal, cause="contradictory"))),
        ("detail", replace(context, refusal=replace(context.refusal, detail="Slice 3 is missing"))),
        ("time zone", replace(context, study=_elsewhere(context.study))),
    ]
    before = uids(build_notice(context))
    assert [name for name, other in others if before & uids(build_notice(other))] == []


def _elsewhere(study: Study) -> Study:
    instances = [replace(instance, given=deepcopy(instance.header)) for instance in study.instances]
    for instance in instances:
        instance.header.TimezoneOffsetFromUTC = "-0300"
    return replace(study, instances=tuple(instances))


def digests(folder: Path) -> list[str]:
    """The SHA-256 of every object of a study written to `folder`, with every option, and of a notice on it."""
    films = build_reports(small_context(folder / "films", options=everything("all_phases")))
    stills = build_reports(small_context(folder / "stills", write=one_multiframe, options=everything()))
    notices = build_notice(notice(folder / "notice"))
    return [hashlib.sha256(saved(one.dataset)).hexdigest() for one in (*films, *stills, *notices)]


def test_another_process_elsewhere_writes_the_same_bytes(tmp_path: Path) -> None:
    program = (
        "import json, sys, pathlib; from tests.reports.test_uids import digests;"
        "print(json.dumps(digests(pathlib.Path(sys.argv[1]))))"
    )
    there = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "there")],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Kathmandu", "LC_ALL": "C"},
        stdout=subprocess.PIPE,
        check=True,
    )
    here = digests(tmp_path / "here")
    assert len(here) > 20
    assert json.loads(there.stdout) == here
