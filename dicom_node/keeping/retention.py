"""Removes the images of studies that are done with, in an order that survives a crash at any point."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import final

from dicom_node.archive import Archive
from dicom_node.config_sections import RetainSettings
from dicom_node.errors import ArchiveUnwritable
from dicom_node.keeping.rules import Removal, Space, choose, removable_states
from dicom_node.log import logger
from dicom_node.store import Store
from dicom_node.store.keeping_records import KeptStudy

log = logger(__name__)


@final
class Retention:
    """One archive's retention. Nothing goes unless `retain` in config.yaml names a reason."""

    def __init__(
        self, store: Store, archive: Archive, settings: RetainSettings, clock: Callable[[], datetime]
    ) -> None:
        self._keeping = store.keeping
        self._archive = archive
        self._settings = settings
        self._clock = clock

    def plan(self, busy: Collection[str] = ()) -> list[Removal]:
        """What would go now. `busy` are studies that somebody is sending to."""
        if not self._settings.active:
            return []
        states = removable_states(self._settings)
        found = [one for one in self._keeping.studies(states) if one.job.study_instance_uid not in busy]
        if not found:
            return []
        return list(choose(found, self._size_of, self._space(), self._settings, self._clock()))

    def apply(self, busy: Collection[str] = ()) -> list[Removal]:
        """Remove what `plan` says; returns what went. A study that moves meanwhile stays."""
        return [one for one in self.plan(busy) if self._remove(one)]

    def finish(self) -> int:
        """Delete what was marked and not yet deleted, for example because of a crash; how many files.

        What lies under a marked name but came later than the mark is not what was meant: it stays, and the
        index finds it.
        """
        marked = self._keeping.marked()
        deleted = self._archive.remove((one.path, one.removed_at) for one in marked)
        self._keeping.finish([one.path for one in marked], self._clock())
        return deleted

    def _remove(self, removal: Removal) -> bool:
        study = removal.study.job.study_instance_uid
        if not self._keeping.mark(removal.study, removal.reason, self._clock()):
            return False
        try:
            self.finish()
        except ArchiveUnwritable as error:
            log.error("images-not-removed", study=study, reason=str(error))
            return False
        log.info(
            "images-removed",
            study=study,
            megabytes=round(removal.size_bytes / 1e6, 1),
            reason=removal.reason,
        )
        return True

    def _size_of(self, study: KeptStudy) -> int:
        return self._archive.size_bytes(self._keeping.image_paths(study.job.study_instance_uid))

    def _space(self) -> Space:
        total = self._archive.total_bytes() if self._settings.max_gb is not None else 0
        return Space(total, self._archive.free_bytes())
