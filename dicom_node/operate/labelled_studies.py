"""The labelled studies among what the node received, for training and for judging."""

from pathlib import Path

from dicom_node.archive import Archive
from dicom_node.config import Settings
from dicom_node.places import archive_dir
from dicom_node.store import Store
from models.training.labels import Labels
from models.training.studies import Found, FoundStudy, patient_digest, study_key


def archived_studies(store: Store, settings: Settings, labels: Labels) -> Found:
    """The labelled studies that the archive holds, from the index alone: no file is opened."""
    archive = Archive(archive_dir(settings), reserve_bytes=0)
    studies = {uid: _study(store, archive, uid) for uid in labels.by_study}
    return Found({uid: study for uid, study in studies.items() if study is not None}, {})


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
