"""Parts of the node as config.yaml wants them, for the node and for commands beside it."""

from contextlib import closing
from pathlib import Path

from dicom_node import __version__
from dicom_node.analysis.engine import ModelChoice
from dicom_node.analysis.worker_command import Places
from dicom_node.config import Settings, secret_variable
from dicom_node.config_destinations import AnyDestination, WebDestination
from dicom_node.config_sections import ReportSettings
from dicom_node.delivery.destination import Destination, Pacs
from dicom_node.delivery.web.destination import WebPacs
from dicom_node.errors import NodeError
from dicom_node.migrations import require_current
from dicom_node.places import archive_dir, models_dir, results_dir
from dicom_node.registry import Reader, Readers, Shelf, configured
from dicom_node.store import Store
from dicom_node.tls import TlsFiles
from models import ModelError
from reports import Equipment


def worker_places(settings: Settings) -> Places:
    """What the worker process may see of the data directory."""
    own = results_dir(settings), settings.data_dir / "scratch"
    return Places(archive_dir(settings), *own, settings.data_dir, models_dir(settings))


def apart_places(settings: Settings, scratch: Path, bundles: Path) -> Places:
    """The same for a worker that writes no results, but what libraries write by themselves into `scratch`."""
    return Places(archive_dir(settings), scratch, scratch, settings.data_dir, bundles)


def equipment(settings: ReportSettings) -> Equipment:
    """The node as DICOM equipment."""
    return Equipment(
        manufacturer=settings.manufacturer,
        model_name="dicom-node",
        software_version=__version__,
        serial_number=settings.serial_number,
        station_name=settings.station_name,
    )


def destinations(settings: Settings) -> list[Destination]:
    """Every place results go to."""
    return [_destination(settings, one) for one in settings.destinations]


def _destination(settings: Settings, one: AnyDestination) -> Destination:
    timeout_s = settings.deliver.timeout_s
    files = TlsFiles(settings.tls.certificate, settings.tls.key, settings.tls.authorities)
    if isinstance(one, WebDestination):
        return WebPacs(one, timeout_s, files, secret_variable)
    return Pacs(one, settings.receive.ae_title, timeout_s, files)


def readers_of(settings: Settings, store: Store) -> Readers:
    """What knows the models in use."""
    shelf, model = Shelf(models_dir(settings)), settings.model
    return Readers(store.registered, shelf, model.bundle, model.threshold)


def models_in_use(settings: Settings) -> tuple[Reader, ...]:
    """Who reads the next study, first to last; without a database the configured model.

    Raises:
        ModelError: one of them is damaged.
    """
    try:
        require_current(settings.database_url)
    except NodeError:
        return (configured(settings.model.bundle, settings.model.threshold),)
    with closing(Store(settings.database_url)) as store:
        return readers_of(settings, store).now()


def first_choice(settings: Settings) -> ModelChoice:
    """The model to have ready; the configured one where it is not clear which is active."""
    try:
        first = models_in_use(settings)[0]
    except (ModelError, NodeError):
        return ModelChoice(settings.model.bundle, settings.model.threshold, settings.model.explain)
    return ModelChoice(first.folder, first.threshold, settings.model.explain)


def names_in_use(settings: Settings) -> tuple[str, ...]:
    """What routes know the models in use by; none if one is damaged, for every study will say so."""
    try:
        return tuple(dict.fromkeys(reader.manifest.name for reader in models_in_use(settings)))
    except (ModelError, NodeError):
        return ()
