"""What the worker is asked about a study: its files, the models in use at that moment, the site's choices."""

import hashlib
from collections.abc import Collection, Sequence
from typing import final

from dicom_node.analysis.ask_notice import priors_of
from dicom_node.analysis.engine import AnalysisRequest, ModelChoice
from dicom_node.analysis.run_record import Asked
from dicom_node.analysis.run_settings import RunSettings
from dicom_node.archive import Archive
from dicom_node.jobs import Job
from dicom_node.registry import Reader, Readers, Shelf
from dicom_node.store import Store
from dicom_node.store.run_records import HeldInstance
from models import Rung


@final
class Questions:
    """Makes the request of a run. Which models are active is looked up once per run, and holds for it."""

    def __init__(self, store: Store, archive: Archive, choices: RunSettings) -> None:
        self._store = store
        self._archive = archive
        self._choices = choices
        self._readers = Readers(store.registered, Shelf(choices.bundles), choices.bundle, choices.threshold)

    def about(self, job: Job, rung: Rung) -> Asked | None:
        """The run to be asked for; None if the results that stand are the answer to just that.

        Raises ModelError if an active model is damaged.
        """
        readers = self._readers.now()
        key = self._key(job, readers)
        if key == self._store.inputs_key(job.study_instance_uid):
            return None
        held = tuple(self._store.held(job.study_instance_uid))
        request = self._request(job, held, readers, rung)
        return Asked(request, held, tuple(one.manifest for one in readers), key, self._choices.config)

    def _key(self, job: Job, readers: Sequence[Reader]) -> str:
        """What an answer depends on: the images of the cine, the models in use, and our own choices."""
        images = self._store.verdict(job.study_instance_uid).get("inputs_key", "")
        models = (part for reader in readers for part in reader.key)
        parts = (images, *models, self._choices.config_sha256)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()

    def _request(
        self, job: Job, held: Collection[HeldInstance], readers: Sequence[Reader], rung: Rung
    ) -> AnalysisRequest:
        study = job.study_instance_uid
        explain = self._choices.explain
        first, *behind = (ModelChoice(one.folder, one.threshold, explain) for one in readers)
        return AnalysisRequest(
            study_instance_uid=study,
            paths=tuple(self._archive.open(one.path) for one in held),
            out_dir=self._choices.results,
            now=job.changed_at,
            equipment=self._choices.equipment,
            priors=priors_of(self._store, study),
            allow_incomplete=self._choices.allow_incomplete,
            bundle=first.bundle,
            threshold=first.threshold,
            behind=tuple(behind),
            options=self._choices.options,
            config_sha256=self._choices.config_sha256,
            rung=rung,
            explain=explain,
            facts=tuple(one.facts for one in held),
        )
