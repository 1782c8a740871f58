"""What the node does about its files and records by itself: at its start, and by the clock."""

import hashlib
import shutil
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import final

from dicom_node import __version__
from dicom_node.archive import Archive
from dicom_node.audit_log import Act, AuditLog
from dicom_node.config import Settings
from dicom_node.intake.index import Index
from dicom_node.keeping.disk import DiskWatch
from dicom_node.keeping.marks import marks_of
from dicom_node.keeping.privacy import close_to_others
from dicom_node.keeping.promises import keep_promises
from dicom_node.keeping.reconcile import Reconciler
from dicom_node.keeping.retention import Retention
from dicom_node.keeping.run_files import RunFiles
from dicom_node.keeping.sealing import Sealer
from dicom_node.resting import Resting
from dicom_node.routing import Routes
from dicom_node.store import Store

_LOOK_AT_DISK_EVERY_S = 5.0
_SEAL_EVERY_S = 2.0
_WRITE_RUN_FILES_EVERY_S = 1.0
_RETAIN_EVERY_S = 3600.0


@final
class Housekeeper:
    """Retention, the disk's marks, the audit log, run files: one hand for each, all of one node."""

    def __init__(
        self, settings: Settings, store: Store, archive: Archive, results: Path, clock: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._store = store
        self._archive = archive
        self._clock = clock
        self._index = Index(archive, store)
        self._audit = AuditLog(settings.data_dir)
        self._sealer = Sealer(store, self._audit)
        self._retention = Retention(store, archive, settings.retain, clock)
        routes = Routes.of(settings.destinations)
        self._reconciler = Reconciler(store, archive, results, routes, clock)
        self._run_files = RunFiles(results)

    def take_up(self) -> int:
        """Bring database and files in line, before anything comes in or runs; how many unfinished files went.

        The audit log is first: it notices an older database by a history that ends too soon. Promised files
        come before removals that a crash interrupted, and these before the index, which would file the files
        anew.
        """
        close_to_others(self._settings.data_dir)
        config = hashlib.sha256(self._settings.model_dump_json().encode()).hexdigest()
        self._sealer.tick(self._clock())
        changed = "" if config == self._audit.last().config else ", configuration changed"
        self._audit.append(
            [Act(self._clock(), "start", detail=f"version {__version__}{changed}", config=config)]
        )
        keep_promises(self._archive.root)
        self._retention.finish()
        found = self._index.catch_up(self._clock())
        self._reconciler.recognise()
        return found.swept

    def free_bytes(self) -> int:
        """Space left for us on the disk of the data."""
        return shutil.disk_usage(self._settings.data_dir).free

    def tasks(
        self, busy: Callable[[], Collection[str]], resting: Resting
    ) -> Mapping[str, tuple[float, Callable[[], object]]]:
        """What the clock shall call, and how often.

        `busy` names the studies that somebody is sending to.
        """

        def retain() -> None:
            self._retention.apply(busy())

        watch = DiskWatch(self.free_bytes, marks_of(self._settings), retain)

        return {
            "disk": (_LOOK_AT_DISK_EVERY_S, watch.tick),
            "retain": (_RETAIN_EVERY_S, retain),
            "seal": (_SEAL_EVERY_S, resting.task(lambda: self._sealer.tick(self._clock()))),
            "run files": (
                _WRITE_RUN_FILES_EVERY_S,
                resting.task(lambda: self._run_files.write_new(self._store)),
            ),
        }
