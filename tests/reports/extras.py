"""The objects a site may ask for beside the report and its pictures."""

from pathlib import Path

from pydicom.dataset import Dataset

from reports import ExtraObject, ReportContext, ReportOptions, build_reports


def asking_for(*wanted: ExtraObject) -> ReportOptions:
    """A site's choice of extra objects."""
    return ReportOptions(extra_objects=wanted)


def of_kind(context: ReportContext, *kinds: str) -> list[Dataset]:
    """What is made of these kinds, in the order it is sent."""
    return [made.dataset for made in build_reports(context) if made.kind in kinds]


def saved(dataset: Dataset, path: Path) -> Path:
    """`dataset` as a file."""
    dataset.save_as(path, enforce_file_format=True)
    return path
