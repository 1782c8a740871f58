"""A model tried before it may answer: in a process of its own, confined as the worker is."""

from pathlib import Path
from tempfile import TemporaryDirectory

from dicom_node.analysis.engine import TrialRequest
from dicom_node.analysis.worker_command import Start
from dicom_node.analysis.worker_engine import WorkerEngine
from dicom_node.config import Settings
from dicom_node.from_settings import apart_places
from models import LAST, Rung, Trial, WeightsCorrupt
from models.bundle_file import Bundle


def try_model(settings: Settings, folder: Path | None, *, maps: bool = False) -> Trial:
    """Have the model in `folder` loaded, and asked about its golden studies. Nothing is changed.

    With `maps`, which methods explain it is proved too; not on a frugal node, which has no framework for it.

    Raises:
        WeightsCorrupt: it cannot be loaded, or answers otherwise than it did when it was made.
        WorkerDied: it took its process with it.
    """
    rung = LAST if settings.model.frugal else Rung.USUAL
    with TemporaryDirectory(prefix="dicom-node-trial-") as name:
        scratch = Path(name)
        places = apart_places(settings, scratch / "scratch", folder or scratch)
        engine = WorkerEngine(
            settings.model, settings.log, places=places, start=Start(), stderr=scratch / "worker.log"
        )
        try:
            result = engine.submit(TrialRequest(folder, rung, maps and not settings.model.frugal))
        finally:
            engine.close()
    if result.trial is None:
        raise WeightsCorrupt(result.reason)
    return result.trial


def try_bundle_apart(settings: Settings, bundle: Bundle) -> Trial:
    """`try_model` of a bundle that lies nowhere yet, its maps too."""
    with TemporaryDirectory(prefix="dicom-node-bundle-") as name:
        folder = Path(name)
        for member, data in bundle.files.items():
            (folder / member).write_bytes(data)
        return try_model(settings, folder, maps=True)
