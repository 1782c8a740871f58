"""What every command shares: the settings it runs under, and how it says that something went wrong."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from sqlalchemy import Engine

from dicom_node.config import Settings, load_settings
from dicom_node.errors import ConfigError, DestinationError, NodeError, UnknownObject
from dicom_node.migrations import require_current
from dicom_node.store.engine import open_engine

if TYPE_CHECKING:
    from dicom_node.store import Store

out = Console(emoji=False)  # what a stranger wrote stays as it is, and the table of all emoji unread
err = Console(stderr=True, emoji=False)


class Exit(IntEnum):
    """What an exit code means, for every command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIG = 3
    UNREACHABLE = 4
    NOT_FOUND = 5


@dataclass(frozen=True, slots=True)
class Session:
    """One invocation: where its settings came from, and what they are."""

    config_path: Path | None
    settings: Settings


def open_session(config: Path | None) -> Session:
    """Settings from `config`, or from ./config.yaml if it is there, or the defaults.

    Raises:
        ConfigError: the file or a value in it is wrong.
    """
    default = Path("config.yaml")
    path = config or (default if default.exists() else None)
    return Session(path, load_settings(path))


@contextmanager
def open_database(settings: Settings) -> Iterator[Engine]:
    """The database, which must exist: looking must not create one.

    Raises:
        NodeError: there is none yet, or it is of another version.
    """
    require_current(settings.database_url)
    engine = open_engine(settings.database_url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def open_store(settings: Settings) -> Iterator["Store"]:
    """What is remembered in that database.

    Raises:
        NodeError: as `open_database`.
    """
    from dicom_node.store import Store  # what a command like `status` does without

    require_current(settings.database_url)
    store = Store(settings.database_url)
    try:
        yield store
    finally:
        store.close()


def session(ctx: typer.Context) -> Session:
    """The session of this invocation; settings are read when the first command asks for them."""
    return open_session(ctx.find_root().params.get("config"))


@contextmanager
def reported() -> Iterator[None]:
    """Print a known error as one sentence and leave with the code that fits it."""
    try:
        yield
    except ConfigError as error:
        err.print(f"[red]configuration:[/] {error}", highlight=False)
        raise typer.Exit(Exit.CONFIG) from error
    except DestinationError as error:
        err.print(f"[red]not reached:[/] {error}", highlight=False)
        raise typer.Exit(Exit.UNREACHABLE) from error
    except UnknownObject as error:
        err.print(f"[red]not found:[/] {escape(str(error))}", highlight=False)
        raise typer.Exit(Exit.NOT_FOUND) from error
    except _errors_of_ours() as error:
        err.print(f"[red]error:[/] {error}", highlight=False)
        raise typer.Exit(Exit.FAILED) from error


def _errors_of_ours() -> tuple[type[Exception], ...]:
    """What every package of ours raises; asked for when something was raised, not at every start."""
    from models import ModelError
    from pipeline import PipelineError
    from reports import ReportError

    return (NodeError, PipelineError, ModelError, ReportError)


def print_json(value: Any) -> None:
    """Machine-readable output: one JSON document on stdout."""
    typer.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, for scripts.")]
