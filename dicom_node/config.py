"""config.yaml and DICOM_NODE_* become one frozen Settings. The only reader of the environment."""

import os
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from dicom_node.config_destinations import AnyDestination, WebDestination
from dicom_node.config_keys import explain, stray_variables
from dicom_node.config_retrain import RetrainSettings
from dicom_node.config_sections import (
    CompleteSettings,
    DatabaseSettings,
    DeliverSettings,
    LogSettings,
    ModelSettings,
    ReceiveSettings,
    ReportSettings,
    RetainSettings,
    TlsSettings,
)
from dicom_node.errors import ConfigError

_PREFIX = "DICOM_NODE_"
_Section = TypeVar("_Section", bound=BaseModel)


class Settings(BaseSettings):
    """Everything a site may choose. config.yaml documents each key."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=_PREFIX,
        env_nested_delimiter="__",
    )

    data_dir: Path = Path("data")
    """Where images, results and the database lie; relative to config.yaml."""
    receive: ReceiveSettings = ReceiveSettings()
    """How images come in."""
    tls: TlsSettings = TlsSettings()
    """The node's certificates."""
    complete: CompleteSettings = CompleteSettings()
    """When a study counts as complete."""
    database: DatabaseSettings = DatabaseSettings()
    """Where jobs are remembered."""
    model: ModelSettings = ModelSettings()
    """What reads the volumes."""
    report: ReportSettings = ReportSettings()
    """What the reports say about us."""
    destinations: tuple[AnyDestination, ...] = ()
    """Where results go; each result goes to all of them that accept it."""
    deliver: DeliverSettings = DeliverSettings()
    """How results go out."""
    retain: RetainSettings = RetainSettings()
    """How long images stay."""
    retrain: RetrainSettings = RetrainSettings()
    """Whether a candidate is trained now and then."""
    log: LogSettings = LogSettings()
    """What the node says while it works."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Settings":
        names = [destination.name for destination in self.destinations]
        if len(set(names)) < len(names):
            raise ValueError(f"two destinations are called {max(names, key=names.count)!r}")
        return self

    @model_validator(mode="after")
    def _tls_has_its_files(self) -> "Settings":
        tls = self.tls
        called = [destination.name for destination in self.destinations if destination.tls]
        if self.receive.tls != "off" and not (tls.certificate and tls.key):
            raise ValueError(f"receive.tls is {self.receive.tls}, which needs tls.certificate and tls.key")
        if (self.receive.tls == "mutual" or called) and not tls.authorities:
            who = "receive.tls is mutual" if not called else f"destination {called[0]} uses TLS"
            raise ValueError(f"{who}, which needs tls.authorities")
        return self

    @property
    def database_url(self) -> str:
        """The database's URL, the default filled in."""
        return self.database.url or f"sqlite:///{self.data_dir / 'node.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment overrides the file."""
        return env_settings, init_settings


def load_settings(path: Path | None) -> Settings:
    """Read `path` (or nothing), apply the environment, resolve paths against the file's folder.

    Raises:
        ConfigError: the file cannot be read, or a key or value is wrong; the message names the key, and
            for an unknown key the nearest known one.
    """
    values = _read(path) if path else {}
    if strays := stray_variables(os.environ, _PREFIX, Settings):
        raise ConfigError(strays)
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise ConfigError(explain(error, Settings, path)) from error
    except SettingsError as error:
        raise ConfigError(f"environment: {error}; a list is written as JSON") from error
    base = path.resolve().parent if path else Path.cwd()
    return settings.model_copy(
        update={
            "data_dir": (base / settings.data_dir).resolve(),
            "model": _with_keys(_rooted(settings.model, base, "bundle"), base),
            "retrain": _rooted(settings.retrain, base, "labels"),
            "tls": _rooted(settings.tls, base, "certificate", "key", "authorities"),
            "destinations": tuple(_with_secret(one, base) for one in settings.destinations),
        }
    )


def _rooted(section: _Section, base: Path, *keys: str) -> _Section:
    """`section` with the paths it names under `keys` relative to `base`."""
    named = {key: path for key in keys if (path := getattr(section, key)) is not None}
    return section.model_copy(update={key: (base / path).resolve() for key, path in named.items()})


def _with_keys(model: ModelSettings, base: Path) -> ModelSettings:
    """`model` with its trusted keys relative to `base`."""
    keys = tuple((base / path).resolve() for path in model.trusted_keys)
    return model.model_copy(update={"trusted_keys": keys})


def _with_secret(one: AnyDestination, base: Path) -> AnyDestination:
    return _rooted(one, base, "secret_file") if isinstance(one, WebDestination) else one


def secret_variable(name: str) -> str | None:
    """What the environment holds under a name that config.yaml gives for a secret; it is kept nowhere."""
    return os.environ.get(name)


def _read(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {error}") from error
    if not isinstance(values, dict | None):
        raise ConfigError(f"{path} must be a mapping of keys to values")
    return values or {}
