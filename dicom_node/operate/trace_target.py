"""From what a person holds, a file or a UID, to the object of ours that it is."""

import re
from pathlib import Path

from pydicom.dataset import Dataset

from dicom_node.errors import UnknownObject
from dicom_node.store import Store
from dicom_node.store.run_records import OwnObject
from pipeline import UnreadableInstance
from pipeline.header import text
from pipeline.reading import read_header
from reports import sr_forms
from reports.sr_class import recast_uid

_UID = re.compile(r"[0-9.]{1,128}")  # real data breaks PS3.5 9.1; what is no UID at all is a misspelt file

_MAKER = ("Manufacturer", "ManufacturerModelName")


def find_object(store: Store, name: str) -> tuple[OwnObject, Path | None]:
    """Our object that `name`, a DICOM file or a SOP Instance UID, stands for; and the file, if it is one.

    A report that a destination took as another SR class is found, too.

    Raises:
        UnknownObject: it is none of ours; the message says what it is instead.
    """
    path = Path(name)
    if path.is_file():
        return _of_file(store, path), path
    if path.is_dir():
        raise UnknownObject(f"{name} is a folder; give one DICOM file, or a SOP Instance UID")
    if not _UID.fullmatch(name):
        raise UnknownObject(f"there is no file {name}, and it is not a UID")
    found = store.lineage.objects_named(name)
    if not found:
        raise UnknownObject(_instead(store, name))
    return found[-1], None


def _of_file(store: Store, path: Path) -> OwnObject:
    try:
        header = read_header(path).dataset
    except UnreadableInstance as error:
        raise UnknownObject(f"{path} is not a DICOM file that can be read") from error
    uid = text(header, "SOPInstanceUID")
    if not uid:
        raise UnknownObject(f"{path} is cut off, or no DICOM object: it has no SOP Instance UID")
    found = [*store.lineage.objects_named(uid), *_recast(store, header)]
    if not found:
        maker = " ".join(filter(None, (text(header, word) for word in _MAKER))) or "nobody"
        raise UnknownObject(f"{path}: {_instead(store, uid, f', and the file names {maker} as its maker')}")
    return found[0]


def _recast(store: Store, header: Dataset) -> list[OwnObject]:
    """Reports of the file's study that would go by its UID under its class, noted as sent so or not."""
    study, uid, form = (text(header, f"{word}UID") for word in ("StudyInstance", "SOPInstance", "SOPClass"))
    ours = (one for one in store.results(study) if form in sr_forms(one.sop_class_uid))
    return [OwnObject(one, study, form) for one in ours if recast_uid(one.sop_instance_uid, form) == uid]


def _instead(store: Store, uid: str, hint: str = "") -> str:
    """What a UID that is none of our objects' stands for, as far as we know; `hint` helps where we do not."""
    job = store.job(uid)
    if job is not None:
        report = next((one for one in store.current_results(uid)), None)
        has = f"its report is {report.sop_instance_uid}" if report else f"it has no report, being {job.state}"
        return f"{uid} is a study: {has}"
    received = store.lineage.received(uid)
    if not received:
        return f"this node neither made nor received an object {uid}{hint}"
    last = received[-1]
    if last.kept:
        return f"{uid} is an image that came in; `dicom-node trace --instance` says what was made of it"
    return f"{uid} came in and is not kept ({last.unusable}); it is no result of ours"
