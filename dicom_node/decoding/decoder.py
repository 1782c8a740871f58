"""Labelled studies read and prepared by a process that is confined to them; one that dies is replaced."""

import sys
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from dicom_node.analysis.worker_process import WorkerProcess
from dicom_node.config_sections import ModelSettings
from dicom_node.decoding.messages import Answer, Order, Task
from dicom_node.errors import WorkerDied
from models.errors import StudyLost
from models.training.groups import GROUPS
from models.training.preparing import PreparedStudy
from models.training.studies import Filed, FoundStudy
from pipeline import PipelineError
from pipeline.preprocessing import Preprocessing

_COMMAND = (sys.executable, "-P", "-m", "dicom_node.decoding.process")


@contextmanager
def decoding(images: Path, private: Path, model: ModelSettings) -> Iterator["Decoder"]:
    """Who reads the files in the folder `images`, as confined and as long as `model` says.

    Of the folder `private`, the node's, it sees nothing else.
    """
    decoder = Decoder(images, private, model)
    try:
        yield decoder
    finally:
        decoder.close()


@final
@dataclass(slots=True)
class Decoder:
    """A process that is started when it is first asked. It writes nothing: its answers hold the volumes."""

    images: Path
    private: Path
    model: ModelSettings
    _process: WorkerProcess | None = field(default=None, init=False)

    def filed(self, path: Path) -> Filed:
        """Where a file belongs. Raises StudyLost if reading it ends the process."""
        answer = self._answer(Task((str(path.absolute()),)))
        return Filed(answer.study, answer.patient)

    def prepared(self, found: FoundStudy, recipe: Preprocessing) -> PreparedStudy:
        """A study as networks see it.

        Raises:
            PipelineError: in a sentence for people, if the node could not read the study either.
            StudyLost: its images end the process that decodes them.
        """
        paths = tuple(str(path.absolute()) for path in found.paths)
        answer = self._answer(Task(paths, len(found.patients), recipe.as_json()))
        if answer.short:
            raise StudyLost(f"the images cannot be decoded here: {answer.refused}")
        if answer.refused:
            raise PipelineError(answer.refused)
        groups = {name: str(answer.groups.get(name, "")) for name in GROUPS}
        return PreparedStudy(found.key, _volume(answer.cine, recipe), groups, answer.simulated)

    @property
    def pid(self) -> int | None:
        """The number of the process, if there is one."""
        return self._process.pid if self._process else None

    def close(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.stop(grace_s=0.0)
            self._process = None

    def _answer(self, task: Task) -> Answer:
        try:
            if self._process is None:
                self._process = WorkerProcess(list(_COMMAND), None, lambda event: None)
                self._heard(self._process, self._order().as_json())
            return Answer.from_json(self._heard(self._process, task.as_json()))
        except WorkerDied as error:
            self.close()
            raise StudyLost(f"the images ended the process that decodes them: {error}") from error
        except ValidationError as error:  # whoever took it over says what he likes
            self.close()
            raise StudyLost("the process that decodes the images gave no sound answer") from error

    def _heard(self, process: WorkerProcess, line: str) -> str:
        process.ask(line)
        return process.hear(time.monotonic() + self.model.deadline_s)

    def _order(self) -> Order:
        """It reads the folder, and what links in it lead to."""
        linked = (path for path in self.images.rglob("*") if path.is_symlink())
        return Order(
            read=tuple(str(path.resolve()) for path in (self.images, *linked)),
            private=(str(self.private.resolve()),),
            memory_mb=self.model.memory_mb,
            confined=self.model.confined,
        )


def _volume(cine: str, recipe: Preprocessing) -> NDArray[np.float16]:
    """The array in `Answer.cine`. Raises StudyLost if it is none of this recipe."""
    grid = (recipe.phases, recipe.slices, recipe.pixels, recipe.pixels)
    try:
        return np.frombuffer(b64decode(cine), np.float16).reshape(grid)
    except ValueError as error:
        raise StudyLost("the process that decodes the images gave no volume of this size") from error
