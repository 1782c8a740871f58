"""A SavedModel made a file of weights, in a process of its own, confined as the worker is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from dicom_node.analysis.engine import ConversionRequest
from dicom_node.analysis.worker_command import Start
from dicom_node.analysis.worker_engine import WorkerEngine
from dicom_node.config import Settings
from dicom_node.from_settings import apart_places
from models import WeightsCorrupt
from models.bare_weights import read_contract
from models.saved_model import is_saved_model, require_readable


@contextmanager
def as_weights(settings: Settings, path: Path, contract: Path | None) -> Iterator[Path]:
    """What lies at `path`, or the `.keras` file with the numbers of the SavedModel there, within the block.

    Raises:
        WeightsCorrupt: it is a SavedModel without a contract, or not with the numbers of the network that the
            contract names.
        WorkerDied: it took its process with it.
    """
    if not is_saved_model(path):
        yield path
        return
    if contract is None:
        raise WeightsCorrupt(f"{path} is a SavedModel: --contract FILE says what it was trained for")
    require_readable(path)
    with TemporaryDirectory(prefix="dicom-node-weights-") as name:
        into = Path(name) / "scratch" / "weights.keras"
        _convert(settings, path.resolve(), contract, into)
        yield into


def _convert(settings: Settings, folder: Path, contract: Path, into: Path) -> None:
    plain = read_contract(contract)
    scratch = into.parent
    engine = WorkerEngine(
        settings.model,
        settings.log,
        places=apart_places(settings, scratch, folder),
        start=Start(),
        stderr=scratch.parent / "worker.log",
    )
    try:
        result = engine.submit(ConversionRequest(folder, plain.architecture, plain.recipe.as_json(), into))
    finally:
        engine.close()
    if result.outcome != "done":
        raise WeightsCorrupt(result.reason)
