"""An analysis made again as it was asked for then, in a worker of its own, beside a running node."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import ValidationError

from dicom_node.analysis.engine import AnalysisResult, request_from_json
from dicom_node.analysis.worker_command import Start
from dicom_node.analysis.worker_engine import WorkerEngine
from dicom_node.config import Settings
from dicom_node.errors import NodeError
from dicom_node.store.run_records import Run
from models import ModelError, ModelIdentity, read_manifest


def find_bundle(run: Run, others: Iterable[Path | None]) -> Path | None:
    """The folder of the model that answered `run`: where it lay then, or one of `others` (None: as shipped).

    Raises:
        NodeError: none of them holds it; the message says what they hold.
    """
    wanted = ModelIdentity(**run.findings["model"])
    then = Path(run.request["bundle"]) if run.request["bundle"] else None
    seen = []
    for folder in dict.fromkeys((then, *others)):
        where = str(folder) if folder else "the folder that ships with the node"
        try:
            identity = read_manifest(folder).identity
        except ModelError as error:
            seen.append(str(error))
            continue
        if identity == wanted:
            return folder
        seen.append(f"{where} holds {_name(identity)}")
    raise NodeError(
        f"the model differs: {_name(wanted)} made it, and {'; '.join(seen)}; "
        "set DICOM_NODE_MODEL__BUNDLE to where it lies now"
    )


def _name(identity: ModelIdentity) -> str:
    return f"{identity.name} {identity.version}, weights {identity.weights_sha256[:12]}"


def repeat(
    run: Run,
    paths: Iterable[Path],
    places: tuple[Path, Path | None],
    settings: Settings,
    tell: Callable[[str], None],
) -> AnalysisResult:
    """Ask the analysis of `run` again: same clock, settings, priors and operating point; how it ended.

    `places` are the folder to write below and the bundle's. `tell` is told what the worker does.

    Raises:
        NodeError: the request cannot be understood any more, or the worker died.
    """
    out_dir, bundle = places
    threshold = run.findings.get("threshold")
    asked = dict(run.request) | {"paths": [str(path) for path in paths], "out_dir": str(out_dir)}
    if run.findings:
        asked |= {"bundle": str(bundle) if bundle else None, "threshold": threshold}
    try:
        request = request_from_json(json.dumps(asked))
    except ValidationError as error:
        raise NodeError(f"this version cannot ask what was asked then: {error.errors()[0]['msg']}") from error
    log = out_dir / "worker.log"
    # the request names its model, and how it is explained: nothing is loaded before
    engine = WorkerEngine(settings.model, settings.log, start=Start(), stderr=log, on_event=tell)
    try:
        return engine.submit(request)
    finally:
        engine.close()
