"""The last steps every object takes: its patient and study, its equipment, and our stopped clock."""

from datetime import datetime, timedelta, timezone
from typing import Final

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from reports.context import stable_uid
from reports.equipment import contributing_equipment
from reports.header import patient_and_study, utc_offset
from reports.paper import Paper

_IMPLEMENTATION_UID: Final = stable_uid("implementation", "reports")


def sealed(paper: Paper, dataset: Dataset) -> Dataset:
    """`dataset` as highdicom left it, made ours: patient and study, equipment, and our stopped clock.

    highdicom takes several dates from the machine's clock; all are replaced, so that equal contexts give
    equal bytes.
    """
    result = paper.ids.undone(dataset)
    source = paper.source_header
    result.update(patient_and_study(source, paper.study_instance_uid))
    _stamp(result, paper.now, utc_offset(source))
    result.ContributingEquipmentSequence = contributing_equipment(
        paper,
        result.get("ContributingEquipmentSequence", ()),
        f"{result.ContentDate}{result.ContentTime}{result.TimezoneOffsetFromUTC}",
    )
    result.file_meta = _file_meta(result)
    result.preamble = b"\0" * 128
    return result


def _stamp(dataset: Dataset, now: datetime, offset: str) -> None:
    """Our dates and times, in the time zone the source's own are in."""
    sign = -1 if offset[0] == "-" else 1
    zone = timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5])))
    local = now.astimezone(zone)
    date, time = local.strftime("%Y%m%d"), local.strftime("%H%M%S")
    dataset.TimezoneOffsetFromUTC = offset
    for moment in ("InstanceCreation", "Content", "Series"):
        setattr(dataset, f"{moment}Date", date)
        setattr(dataset, f"{moment}Time", time)
    if "DateOfSecondaryCapture" in dataset:
        dataset.DateOfSecondaryCapture, dataset.TimeOfSecondaryCapture = date, time


def _file_meta(dataset: Dataset) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(_IMPLEMENTATION_UID)
    meta.ImplementationVersionName = "DICOM_NODE"
    return meta
