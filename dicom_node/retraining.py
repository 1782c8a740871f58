"""A candidate trained now and then, on the labels known so far. Activating one stays a person's act."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Final, final

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from dicom_node.config import Settings
from dicom_node.log import logger
from dicom_node.places import candidates_dir
from dicom_node.registry import Reader
from models.errors import ModelError
from models.training.run import BUNDLE, SPLIT

log = logger(__name__)

JUDGED: Final = "judged"
_LATE_S: Final = 3600
_LOWEST_PRIORITY: Final = 19


@contextmanager
def retraining(
    settings: Settings, now: Callable[[], datetime], readers: Callable[[], Sequence[Reader]]
) -> Iterator["Retraining"]:
    """Within, candidates are trained when config.yaml says so."""
    trainer = Retraining(settings, now, readers)
    trainer.start()
    try:
        yield trainer
    finally:
        trainer.stop()


@final
class Retraining:
    """Trains when config.yaml says so, judges what came of it beside the models in use, and keeps it.

    It runs the commands that a person would type, each in a process of the lowest priority. Each time has a
    folder of its own among the candidates; beside it lie what was said (`.log`) and the settings it ran under
    (`.yaml`). The node's end ends it, and a training leaves its state. `readers` knows the models in use.
    """

    def __init__(
        self, settings: Settings, now: Callable[[], datetime], readers: Callable[[], Sequence[Reader]]
    ) -> None:
        self._settings, self._now, self._readers = settings, now, readers
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
        self._write_settings(folder)
        with folder.with_suffix(".log").open("wb") as said:
            log.info("retraining-begun", candidate=folder.name)
            code = self._run(folder, self._training(folder), said)
            tell = log.info if code == 0 else log.error
            tell("retraining-ended", candidate=folder.name, exit_code=code)
            if code == 0:
                judged = self._judged(folder, said)
                kept = self._run(folder, ["models", "import", str(folder / BUNDLE)], said)
                tell = log.error if judged or kept else log.info
                tell("candidate", candidate=folder.name, judged=judged == 0, kept=kept == 0)

    def _run(self, folder: Path, words: Sequence[str], said: IO[bytes]) -> int | None:
        """The exit code of a command of ours; None if nothing more is to begin."""
        settings = str(_settings_of(folder))
        command = [sys.executable, "-P", "-m", "dicom_node", "--config", settings, *words]
        with self._changing:
            if self._stopped:
                return None
            process = subprocess.Popen(command, stdout=said, stderr=said)  # noqa: S603 - ourselves
            self._process = process
        os.setpriority(os.PRIO_PROCESS, process.pid, _LOWEST_PRIORITY)
        code = process.wait()
        with self._changing:
            self._process = None
        return code

    def _write_settings(self, folder: Path) -> None:
        settings = _settings_of(folder)  # JSON is YAML
        place = {
            "data_dir": str(self._settings.data_dir),
            "database": {"url": self._settings.database_url},
            "model": self._settings.model.model_dump(mode="json"),
        }
        settings.touch(mode=0o600)
        settings.write_text(json.dumps(place), encoding="utf-8")

    def _training(self, folder: Path) -> list[str]:
        retrain = self._settings.retrain
        words = [*retrain.options, "--out", str(folder), "--model-version", folder.name]
        return ["train", retrain.architecture, *self._known(), *words]

    def _judged(self, folder: Path, said: IO[bytes]) -> int | None:
        """The exit code of judging it, beside the models in use that answer the same question."""
        beside = self._rivals()
        code = self._run(folder, self._judging(folder, beside), said)
        if code and beside:  # what is wrong may be one of them, and no reason to lose the candidate
            log.warning("models-in-use-not-compared", candidate=folder.name, exit_code=code)
            code = self._run(folder, self._judging(folder, []), said)
        return code

    def _judging(self, folder: Path, beside: Sequence[str]) -> list[str]:
        """By patients the candidate never saw."""
        words = ["--part", "test", "--split", str(folder / SPLIT), "--out", str(folder / JUDGED)]
        return ["compare" if beside else "evaluate", str(folder / BUNDLE), *beside, *self._known(), *words]

    def _rivals(self) -> list[str]:
        try:
            readers = self._readers()
        except ModelError as error:  # it is judged alone
            log.warning("models-in-use-unreadable", reason=str(error))
            return []
        asked = self._settings.retrain.label_column
        return [one.reference for one in readers if one.manifest.label == asked]

    def _known(self) -> list[str]:
        """Which studies, and what is known of them; without a file, what the node keeps."""
        retrain = self._settings.retrain
        labels = ["--labels", str(retrain.labels)] if retrain.labels else []
        return [*labels, "--label-column", retrain.label_column, "--from-archive"]


def _settings_of(folder: Path) -> Path:
    return folder.with_suffix(".yaml")
