"""Models in the shadow: asked what they would have said to live studies, and heard by nobody but us.

They have a worker of their own, which goes behind every other process, is not even able to write a result,
and may die without harm. It is asked only while no study waits to be read.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import final

from dicom_node.analysis.engine import AnalysisRequest, AnalysisResult, Engine
from dicom_node.analysis.run_settings import RunSettings
from dicom_node.archive import Archive
from dicom_node.errors import WorkerDied
from dicom_node.jobs import State
from dicom_node.log import logger
from dicom_node.registry import Shelf
from dicom_node.store import Store
from dicom_node.store.model_records import ShadowAnswer, ShadowTask

log = logger(__name__)


@final
class Shadowing:
    """Asks models in the shadow about the runs that were recorded since they went there.

    `new_engine` gives a worker; there is none while nothing is to be asked.
    """

    def __init__(
        self,
        store: Store,
        archive: Archive,
        new_engine: Callable[[], Engine],
        choices: RunSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._archive = archive
        self._new_engine = new_engine
        self._choices = choices
        self._clock = clock
        self._shelf = Shelf(choices.bundles)
        self._engine: Engine | None = None
        self._starting = threading.Lock()
        self._stopping = False

    def ask_all(self) -> bool:
        """Ask until nothing is open, or a study waits to be read; True if something is open then."""
        while (task := self._store.shadows.next()) is not None:
            if self._stopping or self._store.jobs(State.READY):
                return True
            self._ask(task)
        self._let_go()
        return False

    def stop(self) -> None:
        """Ask nothing more; what is being asked is asked again after the next start."""
        with self._starting:
            self._stopping = True
        self._let_go()

    def _ask(self, task: ShadowTask) -> None:
        request = self._request(task)
        try:
            answer = self._answer(self._ready_engine().submit(request))
        except WorkerDied as error:
            if self._stopping:
                return
            answer = ShadowAnswer(self._clock(), 0.0, "died", str(error))
        self._store.shadows.note(task, answer)
        log.info("shadow-answered", study=task.study_instance_uid, model=task.digest, outcome=answer.outcome)

    def _answer(self, result: AnalysisResult) -> ShadowAnswer:
        found = result.findings
        return ShadowAnswer(
            answered_at=self._clock(),
            seconds=result.seconds,
            outcome=result.outcome,
            reason=result.reason,
            probability=found.probability if found else None,
            threshold=found.threshold if found else None,
        )

    def _request(self, task: ShadowTask) -> AnalysisRequest:
        """The inputs of a run, to a model that was not asked then."""
        run = self._store.lineage.run(task.run_id)
        inputs = self._store.lineage.inputs(task.run_id)
        return AnalysisRequest(
            study_instance_uid=task.study_instance_uid,
            paths=tuple(self._archive.open(one.path) for one in inputs),
            out_dir=self._choices.results,
            now=run.claimed_at,
            equipment=self._choices.equipment,
            allow_incomplete=bool(run.request["allow_incomplete"]),
            bundle=self._shelf.folder(task.digest),
            rung=self._choices.rung,
            shadow=True,
        )

    def _ready_engine(self) -> Engine:
        with self._starting:
            if self._stopping:
                raise WorkerDied("the node is stopping")
            if self._engine is None:
                self._engine = self._new_engine()
            return self._engine

    def _let_go(self) -> None:
        """Give the worker's memory back."""
        with self._starting:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()
