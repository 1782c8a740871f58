"""Keeps what we wrote: finished report objects as Part 10 files that survive a power cut."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pydicom

from dicom_node.archive.durable import DurableWriter, remove_leftovers
from reports import Report


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One object of ours on disk.

    Attributes:
        kind: "sr", "summary" or "attention".
        path: relative to the results folder; made of hashes only.
        sha256: digest of the whole file; what a second, equal run must reproduce.
        size: bytes.
    """

    kind: str
    path: str
    sha256: str
    size: int
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str


def write_results(reports: Iterable[Report], root: Path) -> tuple[ResultFile, ...]:
    """Write each report under `root` and return only when all of them are on stable storage.

    The names are hashes of UIDs and content, so that no UID shapes a path, and equal runs write equal files
    over themselves.

    Raises:
        OSError: the disk is full or not writeable.
    """
    writer = DurableWriter(root)
    return tuple(_write(report, writer, root) for report in reports)


def result_path(study_instance_uid: str, sop_instance_uid: str, sha256: str) -> str:
    """Where an object lies: `<2 hex>/<study hash>/<instance hash>-<content hash>.dcm`."""
    study = hashlib.sha256(study_instance_uid.encode()).hexdigest()[:40]
    instance = hashlib.sha256(sop_instance_uid.encode()).hexdigest()[:40]
    return f"{study[:2]}/{study}/{instance}-{sha256[:16]}.dcm"


def _write(report: Report, writer: DurableWriter, root: Path) -> ResultFile:
    dataset = report.dataset
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    content = buffer.getvalue()
    sha256 = hashlib.sha256(content).hexdigest()
    path = result_path(str(dataset.StudyInstanceUID), str(dataset.SOPInstanceUID), sha256)
    writer.write(root / path, [content])
    remove_leftovers((root / path).parent)
    return ResultFile(
        kind=report.kind,
        path=path,
        sha256=sha256,
        size=len(content),
        sop_class_uid=str(dataset.SOPClassUID),
        sop_instance_uid=str(dataset.SOPInstanceUID),
        series_instance_uid=str(dataset.SeriesInstanceUID),
        study_instance_uid=str(dataset.StudyInstanceUID),
    )
