"""Everything the node knows about one study, as one value: `dicom-node show`."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dicom_node.errors import NodeError
from dicom_node.jobs import Job
from dicom_node.operate.trace import model_of
from dicom_node.store import Store
from dicom_node.store.records import DOCUMENTS, NOTICE, Delivery, JobEvent, Result, SeriesSummary


class UnknownStudy(NodeError):
    """No study, or more than one, goes by the name given."""


@dataclass(frozen=True, slots=True)
class StudyView:
    """One study: its job, why it was or was not ready, what is held, made and delivered.

    `images_removed_at` is when retention last removed images that have not come back; None if none.
    `model` is who made the results that stand: name, version and the beginning of the weights' digest.
    """

    job: Job
    verdict: dict[str, Any]
    series: tuple[SeriesSummary, ...]
    unusable: tuple[str, ...]
    events: tuple[JobEvent, ...]
    results: tuple[Result, ...]
    deliveries: tuple[Delivery, ...]
    images_removed_at: datetime | None
    model: str

    def as_dict(self) -> dict[str, Any]:
        """The view as plain values, for JSON."""
        return asdict(self) | {"notice": self.notice}

    @property
    def current_sr(self) -> Result | None:
        """The structured report that stands, a notice or one with a result."""
        documents = (one for one in self.results if one.current and one.kind in DOCUMENTS)
        return next(documents, None)

    @property
    def notice(self) -> str:
        """How far the notice got that says why there is no result; empty without one."""
        if self.current_sr is None or self.current_sr.kind != NOTICE:
            return ""
        objects = [one for one in self.deliveries if one.current]
        ways = sorted({f"{one.kind} to {one.destination} {one.state}" for one in objects})
        return f"a notice says so: {', '.join(ways) or 'kept here, no destination accepts it'}"


def find_study(store: Store, name: str) -> str:
    """The Study Instance UID that `name` is, begins or ends.

    Raises:
        UnknownStudy: none or several studies match.
    """
    if store.job(name) is not None:
        return name
    uids = [job.study_instance_uid for job in store.jobs()]
    matches = [uid for uid in uids if name and (uid.startswith(name) or uid.endswith(name))]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UnknownStudy(f"{len(matches)} studies match {name}; give more of the Study Instance UID")
    raise UnknownStudy(f"no study matches {name}; `dicom-node jobs` lists those the node knows")


def view_study(store: Store, study_instance_uid: str) -> StudyView:
    """Gather the view of a study the store knows.

    Raises:
        UnknownStudy: it does not.
    """
    job = store.job(study_instance_uid)
    if job is None:
        raise UnknownStudy(f"no study {study_instance_uid}")
    results = store.results(study_instance_uid)
    return StudyView(
        job=job,
        verdict=store.verdict(study_instance_uid),
        series=tuple(store.series(study_instance_uid)),
        unusable=tuple(store.unusable(study_instance_uid)),
        events=tuple(store.events(study_instance_uid)),
        results=tuple(results),
        deliveries=tuple(store.deliveries(study_instance_uid)),
        images_removed_at=store.keeping.removed_at(study_instance_uid),
        model=_model(store, results),
    )


def _model(store: Store, results: Iterable[Result]) -> str:
    standing = next((one for one in results if one.current), None)
    identity = model_of(store, standing) if standing else {}
    if not identity:
        return ""
    return f"{identity['name']} {identity['version']}, weights {identity['weights_sha256'][:12]}"


def result_file(results: Path, result: Result) -> Path:
    """Where a result's Part 10 file lies."""
    return results / result.path
