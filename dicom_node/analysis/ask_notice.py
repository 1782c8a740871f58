"""Whether a study that was not analysed gets a notice, and the notice from the worker."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from dicom_node.analysis.engine import AnalysisResult, Engine, NoticeRequest
from dicom_node.analysis.results import ResultFile
from dicom_node.analysis.run_record import Asked
from dicom_node.analysis.run_settings import RunSettings
from dicom_node.archive import Archive
from dicom_node.errors import Misattributed, NoRoom
from dicom_node.jobs import Job
from dicom_node.log import logger
from dicom_node.store import Store
from dicom_node.store.records import NewResult
from dicom_node.store.run_records import HeldInstance
from reports import PriorReport, Refusal

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice on disk: what was asked for, and the answer with its files."""

    asked: Asked
    result: AnalysisResult


@final
class Notices:
    """Asks the worker for notices, by headers alone: what it died of it does not touch again."""

    def __init__(self, store: Store, archive: Archive, engine: Engine, choices: RunSettings) -> None:
        self._store = store
        self._archive = archive
        self._engine = engine
        self._choices = choices

    def make(self, job: Job, refusal: Refusal) -> Notice | None:
        """The notice on a study; None if none is due, the last one says the same, or none can be made.

        Raises:
            WorkerDied: there is no answer.
            Misattributed: the notice would not be the images' own.
            NoRoom: it could not be written because the disk is full.
        """
        study = job.study_instance_uid
        key = self._key(study, refusal)
        if not self._due(study) or key == self._store.inputs_key(study):
            return None
        held = tuple(self._store.held(study))
        request = self._request(job, refusal, held)
        asked = Asked(request, held, (), key, self._choices.config)
        result = self._engine.submit(request)
        if result.outcome == "misattributed":
            raise Misattributed(result.reason)
        if result.outcome == "no_room":
            raise NoRoom(result.reason)
        if result.outcome != "done":
            log.error("notice-not-made", study=study, reason=result.reason)
            return None
        return Notice(asked, result)

    def _due(self, study: str) -> bool:
        choice = self._choices.not_analysed
        return choice == "always" or (choice == "cine" and bool(self._store.verdict(study).get("cine")))

    def _key(self, study: str, refusal: Refusal) -> str:
        images = self._store.verdict(study).get("inputs_key", "")
        parts = ("notice", images, refusal.cause, refusal.detail, self._choices.config_sha256)
        return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()

    def _request(self, job: Job, refusal: Refusal, held: Iterable[HeldInstance]) -> NoticeRequest:
        study = job.study_instance_uid
        return NoticeRequest(
            study_instance_uid=study,
            paths=tuple(self._archive.open(one.path) for one in held),
            out_dir=self._choices.results,
            now=job.changed_at,
            equipment=self._choices.equipment,
            refusal=refusal,
            priors=priors_of(self._store, study),
            config_sha256=self._choices.config_sha256,
        )


def priors_of(store: Store, study: str) -> tuple[PriorReport, ...]:
    """The documents that a new one on the study must name as its predecessors."""
    return tuple(
        PriorReport(prior.sop_class_uid, prior.sop_instance_uid, prior.series_instance_uid)
        for prior in store.priors(study)
    )


def new_results(files: Iterable[ResultFile]) -> list[NewResult]:
    """Files of ours as the store takes them."""
    return [
        NewResult(
            kind=file.kind,
            sop_class_uid=file.sop_class_uid,
            sop_instance_uid=file.sop_instance_uid,
            series_instance_uid=file.series_instance_uid,
            path=file.path,
            digest=file.sha256,
        )
        for file in files
    ]
