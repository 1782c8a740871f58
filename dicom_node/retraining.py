"""A candidate trained now and then, on the labels known so far. Activating one stays a person's act."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, final

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from dicom_node.config import Settings
from dicom_node.log import logger
from dicom_node.places import candidates_dir

log = logger(__name__)

_LATE_S: Final = 3600
_LOWEST_PRIORITY: Final = 19


@contextmanager
def retraining(settings: Settings, now: Callable[[], datetime]) -> Iterator["Retraining"]:
    """Within, candidates are trained when config.yaml says so."""
    trainer = Retraining(settings, now)
    trainer.start()
    try:
        yield trainer
    finally:
        trainer.stop()


@final
class Retraining:
    """Runs `dicom-node train --from-archive` when config.yaml says so, in a process of the lowest priority.

    Each run has a folder of its own among the candidates, named by its time; beside it lie what it said
    (`.log`) and the settings it ran under (`.yaml`). The node's end ends it, and it leaves its state.
    """

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self._settings, self._now = settings, now
        self._changing = threading.Lock()
        self._stopped = False
        self._process: subprocess.Popen[bytes] | None = None
        one_at_a_time = {"coalesce": True, "max_instances": 1, "misfire_grace_time": _LATE_S}
        self._scheduler = BackgroundScheduler(job_defaults=one_at_a_time)

    @property
    def next_at(self) -> datetime | None:
        """When the next one begins, while it is started."""
        planned: list[datetime] = [job.next_run_time for job in self._scheduler.get_jobs()]
        return planned[0] if planned else None

    def start(self) -> None:
        """Wait for the time that config.yaml gives, if it gives one."""
        cron = self._settings.retrain.cron
        if cron is not None:
            self._scheduler.add_job(self.train, CronTrigger.from_crontab(cron))
            self._scheduler.start()

    def stop(self) -> None:
        """End a training that is under way, which leaves its state, and begin no other."""
        with self._changing:
            self._stopped = True
            if self._process is not None:
                self._process.terminate()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def train(self) -> None:
        """Train one candidate; returns when it is there, or did not come to be, which is logged."""
        folder = candidates_dir(self._settings) / f"{self._now():%Y%m%d-%H%M%S}"
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_suffix(".log").open("wb") as said:
            with self._changing:
                if self._stopped:
                    return
                process = subprocess.Popen(self._command(folder), stdout=said, stderr=said)  # noqa: S603 - ourselves
                self._process = process
            os.setpriority(os.PRIO_PROCESS, process.pid, _LOWEST_PRIORITY)
            log.info("retraining-begun", candidate=folder.name)
            code = process.wait()
            with self._changing:
                self._process = None
        tell = log.info if code == 0 else log.error
        tell("retraining-ended", candidate=folder.name, exit_code=code)

    def _command(self, folder: Path) -> list[str]:
        retrain = self._settings.retrain
        settings = folder.with_suffix(".yaml")  # JSON is YAML
        place = {"data_dir": str(self._settings.data_dir), "database": {"url": self._settings.database_url}}
        settings.touch(mode=0o600)
        settings.write_text(json.dumps(place), encoding="utf-8")
        labels = ["--labels", str(retrain.labels)] if retrain.labels else []  # without: what the node keeps
        words = [*labels, "--label-column", retrain.label_column, *retrain.options]
        run = [
            sys.executable,
            "-P",
            "-m",
            "dicom_node",
            "--config",
            str(settings),
            "train",
            retrain.architecture,
        ]
        return [*run, *words, "--from-archive", "--out", str(folder), "--model-version", folder.name]
