"""The labelled studies among what the node received, for training and for judging."""

from pathlib import Path

from dicom_node.archive import Archive
from dicom_node.config import Settings
from dicom_node.places import archive_dir
from dicom_node.store import Store
from models.errors import TrainingRefused
from models.training.labels import Label, Labels, labels_of
from models.training.studies import Found, FoundStudy, patient_digest, study_key


def archived_studies(store: Store, settings: Settings, labels: Labels) -> Found:
    """The labelled studies that the archive holds, from the index alone: no file is opened."""
    archive = Archive(archive_dir(settings), reserve_bytes=0)
    studies = {uid: _study(store, archive, uid) for uid in labels.by_study}
    return Found({uid: study for uid, study in studies.items() if study is not None}, {})


def kept_labels(store: Store, column: str) -> Labels:
    """What `dicom-node labels` keeps on `column`, of the studies whose images are still here.

    Raises TrainingRefused if there is nothing, or one answer only.
    """
    standing = store.labels.standing()
    known = [
        Label(one.study, one.patient, one.answer)
        for one in standing
        if one.label == column and store.held(one.study)
    ]
    if not known:
        there = ", ".join(sorted({one.label for one in standing})) or "nothing"
        raise TrainingRefused(
            f"the node keeps no {column!r} of a study that is here, but {there}: import labels, or name a "
            "file (--labels)"
        )
    return labels_of(known, column, where="the labels that the node keeps")


def prepared_dir(settings: Settings, given: Path | None) -> Path:
    """Where prepared volumes are kept."""
    return given or settings.data_dir / "prepared"


def _study(store: Store, archive: Archive, uid: str) -> FoundStudy | None:
    held = store.held(uid)
    if not held:
        return None
    patients = sorted({patient_digest(one.facts.patient_id) for one in held} - {""})
    paths = tuple(archive.open(one.path) for one in held)
    return FoundStudy(uid, tuple(patients), paths, study_key(one.digest for one in held))
