"""A cohort as a hospital would have it: DICOM files, and a table of what was read elsewhere."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from models.cohort.designs import Cohort, Member
from pipeline.phantom import Layout, render, write_dicom
from pipeline.phantom.identity import study_uid

LABELS_NAME: Final = "labels.csv"
KINDS_NAME: Final = "kinds.csv"
LAYOUTS: Final = {"A": Layout.GE, "B": Layout.SIEMENS}
_SOURCE: Final = "phantom truth"
_DAY: Final = "2025-01-01"


class OtherCohort(ValueError):
    """The folder holds another cohort, which is left as it is."""


def write_cohort(cohort: Cohort, folder: Path, written: Callable[[int], None]) -> None:
    """Every member's images in a folder of their own, labels.csv (`dicom-node labels import`) and kinds.csv.

    The same cohort in the same folder again gives the same bytes. `written` hears how many studies are done.

    Raises:
        OtherCohort: the folder holds the table of another one; nothing is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = {LABELS_NAME: _labels(cohort), KINDS_NAME: _kinds(cohort)}
    for name, text in tables.items():
        if (folder / name).exists() and (folder / name).read_text(encoding="utf-8") != text:
            raise OtherCohort(f"{folder} holds another cohort; give an empty folder")
    for name, text in tables.items():
        (folder / name).write_text(text, encoding="utf-8")
    for index, member in enumerate(cohort.members, 1):
        images = folder / "images" / f"{index:05d}"
        images.mkdir(parents=True, exist_ok=True)
        phantom = render(member.heart, cohort.scan)
        write_dicom(phantom, images, LAYOUTS[member.site], patient_id=member.patient)
        written(index)


def _labels(cohort: Cohort) -> str:
    header = ["study_instance_uid", "patient_id", *cohort.labels, "source", "date"]
    return _csv(
        header,
        [
            [*_who(cohort, member), *(int(member.answers[label]) for label in cohort.labels), _SOURCE, _DAY]
            for member in cohort.members
        ],
    )


def _kinds(cohort: Cohort) -> str:
    rows = [[*_who(cohort, member), member.kind, member.site] for member in cohort.members]
    return _csv(["study_instance_uid", "patient_id", "kind", "site"], rows)


def _who(cohort: Cohort, member: Member) -> tuple[str, str]:
    return study_uid(member.heart, cohort.scan), member.patient


def _csv(header: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()
