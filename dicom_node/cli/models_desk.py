"""What commands about models work with: the settings, the registry, and people's names for models."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from dicom_node.audit_log import os_user
from dicom_node.cli.session import err, open_store
from dicom_node.clock import now_utc
from dicom_node.config import Settings
from dicom_node.errors import NodeError, UnknownObject
from dicom_node.from_settings import readers_of
from dicom_node.operate.bundle_sources import bundle_at
from dicom_node.places import models_dir
from dicom_node.registry import Reader, Registry, Shelf, configured
from dicom_node.store import Store
from dicom_node.store.model_records import BEGINNING, CONFIGURED, ModelAct, RegisteredModel
from models import Trial, verify_bundle
from models.bundle_contents import CARD_NAME
from models.bundle_file import Bundle
from models.explanation.method import NAMES
from models.ladder import TOLERANCE
from models.manifest import SHIPPED


@dataclass(frozen=True, slots=True)
class Desk:
    """The models of one node. Without a database, `opened` is None, and there is the configured one alone."""

    settings: Settings
    opened: Store | None

    @property
    def store(self) -> Store:
        """The database, where there must be one."""
        assert self.opened is not None
        return self.opened

    @property
    def registry(self) -> Registry:
        """Where acts are done."""
        shelf, trusted = Shelf(models_dir(self.settings)), self.settings.model.trusted_keys
        return Registry(self.store.registered, shelf, trusted, os_user(), now_utc)

    @property
    def lineup(self) -> tuple[str, ...]:
        """Who reads, first to last."""
        return self.opened.registered.lineup() if self.opened else BEGINNING

    @property
    def imported(self) -> list[RegisteredModel]:
        """Every model that was imported, the latest first."""
        return self.opened.registered.all() if self.opened else []

    def find(self, which: str) -> str:
        """A model's digest. Raises UnknownObject if none, or several, are called so."""
        if self.opened is None and which != CONFIGURED:
            raise UnknownObject(f"no model is called {which}: none was imported")
        return CONFIGURED if which == CONFIGURED else self.registry.find(which)

    def reader(self, digest: str) -> Reader:
        """A model as it would read. Raises ModelError if it is damaged."""
        if digest == CONFIGURED:
            return configured(self.settings.model.bundle, self.settings.model.threshold)
        return readers_of(self.settings, self.store).reader(digest)

    def called(self, digest: str) -> str:
        """Name and version."""
        manifest = self.reader(digest).manifest
        return f"{manifest.name} {manifest.version}"

    def order(self, lineup: Sequence[str]) -> str:
        """A line-up in words."""
        return ", then ".join(f"{self.called(one)} ({one[:12]})" for one in lineup)

    def acts(self, digest: str) -> list[ModelAct]:
        """What was done with one model, oldest first."""
        return [act for act in self.opened.registered.acts() if act.digest == digest] if self.opened else []

    def card(self, digest: str) -> str:
        """A model's card; empty if it has none."""
        card = (self.reader(digest).folder or SHIPPED) / CARD_NAME
        return card.read_text("utf-8", "replace") if card.exists() else ""

    def shadowed(self, digest: str) -> dict[str, int]:
        """How often a model was asked in the shadow, by how that ended."""
        return self.opened.shadows.outcomes(digest) if self.opened else {}

    def bundle(self, which: str) -> Bundle:
        """The bundle of a model, or of a folder of this name. Raises ModelError if it is damaged."""
        if Path(which).is_dir():
            return bundle_at(Path(which), None, ())
        digest = self.find(which)
        if digest == CONFIGURED:
            return bundle_at(self.settings.model.bundle or SHIPPED, None, ())
        return self.registry.shelf.read(digest)

    def check(self, digest: str) -> None:
        """Compare every digest, and the signature if there must be one. Raises ModelError."""
        if digest == CONFIGURED:
            verify_bundle(self.settings.model.bundle)
        else:
            self.registry.shelf.read(digest, self.settings.model.trusted_keys)


@contextmanager
def open_desk(settings: Settings, *, looking: bool = False) -> Iterator[Desk]:
    """The models of the node with these settings; who is `looking` only needs no database.

    Raises:
        NodeError: there is no database yet, or it is of another version.
    """
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(open_store(settings))
        except NodeError:
            if not looking:
                raise
            opened = None
        yield Desk(settings, opened)


@contextmanager
def unpacked(settings: Settings, references: Sequence[str]) -> Iterator[list[Path]]:
    """The folders of models, each named by its folder, its file, or as the registry knows it.

    What a file or the registry holds is compared with its digests, and lies unpacked while this lasts.

    Raises:
        UnknownObject: one is none of these.
        ModelError: one is damaged.
    """
    with open_desk(settings, looking=True) as desk, TemporaryDirectory(prefix="dicom-node-models-") as name:
        yield [_folder(desk, one, Path(name) / str(place)) for place, one in enumerate(references)]


def _folder(desk: Desk, reference: str, scratch: Path) -> Path:
    path = Path(reference)
    if path.is_dir():
        return path
    bundle = bundle_at(path, None, ()) if path.is_file() else desk.bundle(reference)
    scratch.mkdir()
    for member, data in bundle.files.items():
        (scratch / member).write_bytes(data)
    return scratch


def tried(trial: Callable[[], Trial]) -> Trial:
    """Run a trial, which takes seconds, and let people see that."""
    with err.status("loading the model and asking it about its golden studies"):
        return trial()


def told(trial: Trial) -> str:
    """How a trial went."""
    maps = f"; {_told_of_maps(trial)}" if trial.verdicts else ""
    if trial.studies == 0:
        return f"it has no golden studies; asked about noise, it answers with a probability{maps}"
    return (
        f"{trial.studies} golden studies are answered as on record, at most {trial.away:.1g} away "
        f"({TOLERANCE:g} is allowed){maps}"
    )


def _told_of_maps(trial: Trial) -> str:
    alive = [NAMES[method] for method, verdict in trial.verdicts.items() if verdict.alive]
    return f"proved here, it is explained by {' and '.join(alive)}" if alive else "no map explains it"
