"""The last look at an object before it leaves: is it the file we wrote, of the patient and study we believe?

The worker has looked at what it made; this looks at what lies on the disk, against what the index knows of
the images. A file that was mixed up, or altered, goes nowhere.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from pydicom import dcmread

from dicom_node.claims import Claims, claims_of
from dicom_node.quick_claims import quick_claims
from dicom_node.store.records import Delivery
from pipeline import InstanceFacts
from pipeline.header import UNREADABLE

_LONGEST_ID = 256  # characters; as much as the index keeps
_AT_ONCE = 2  # hashing lets other threads run
_HEAD_BYTES = 1 << 20  # what names somebody stands before the pixels


def objection(results: Path, batch: Sequence[Delivery], images: Sequence[InstanceFacts]) -> str:
    """Why nothing of `batch`, objects of one study, may go out; empty if nothing speaks against it.

    `images` are the study's as the index knows them, or knew them; without any, as in a database that was
    rebuilt after the images had gone, the file's digest must do. A file that is gone is no objection: whoever
    sends it says so.
    """
    with ThreadPoolExecutor(_AT_ONCE) as looks:
        found = looks.map(lambda one: _about(results / one.path, one, images), batch)
        return next((reason for reason in found if reason), "")


def _about(path: Path, delivery: Delivery, images: Sequence[InstanceFacts]) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            digest = hashlib.file_digest(file, partial(hashlib.sha256, head)).hexdigest()
            whole = file.tell() == len(head)
    except OSError:
        return ""
    if digest != delivery.digest:
        return f"the file of the {delivery.kind} is not the one that was written"
    try:
        claims = quick_claims(head, whole=whole) or claims_of(dcmread(path, stop_before_pixels=True))
        names = _misnamed(claims, delivery, images)
    except UNREADABLE:
        return f"the file of the {delivery.kind} cannot be read"
    return f"the {delivery.kind} names another {names} than its images" if names else ""


def _misnamed(claims: Claims, delivery: Delivery, images: Sequence[InstanceFacts]) -> str:
    """What an object says that is not so of the images it cites; empty if all of it is."""
    sources = [image for image in images if image.sop_instance_uid in claims.cited] or images
    if claims.sop_instance_uid != delivery.sop_instance_uid:
        return "object"
    if claims.studies != {delivery.study_instance_uid}:
        return "study"
    if not images:
        return ""
    # of any of the images: de-identified, each may have its own, and an overlay cites only one of them
    if claims.frames - {image.frame_of_reference_uid for image in images}:
        return "frame of reference"
    return "" if _one_patient(claims.patient_id, {image.patient_id for image in sources}) else "patient"


def _one_patient(named: str, indexed: set[str]) -> bool:
    """Whether the object and the images it was made from are one patient's.

    The index keeps an ID's bytes without their character set, so one that is not ASCII throughout can only
    be seen to be the same for all the images.
    """
    if named.isascii():
        return indexed <= {_as_indexed(named)}
    return len(indexed) <= 1


def _as_indexed(patient_id: str) -> str:
    parts = ("".join(filter(str.isprintable, part)).strip() for part in patient_id.split("\\"))
    return "\\".join(parts)[:_LONGEST_ID]
