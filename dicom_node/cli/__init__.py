"""The `dicom-node` command: parse, call, print. What it does lives elsewhere."""

import gc
import os
from pathlib import Path
from typing import Annotated

import typer

from dicom_node.plugins import check_siblings

check_siblings()  # before the first import of a package whose name a stranger may hold

from dicom_node import __version__  # noqa: E402
from dicom_node.cli.commands import Commands  # noqa: E402

app = typer.Typer(
    name="dicom-node",
    cls=Commands,
    help=(
        "Listens for cardiac MR studies, looks for myocardial scar with ST-RAN, and writes structured "
        "reports back to the PACS. Research use only.\n\n"
        "Exit codes: 0 fine, 1 something failed or needs a person, 2 wrong usage, 3 wrong configuration, "
        "4 a peer was not reached, 5 no object of that name."
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_show_locals=False,
)

_SWEEP_AFTER = 20_000
"""Imports make so many objects, which all stay, that Python's 700 costs a command a seventh of its time."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dicom-node {__version__}")
        raise typer.Exit


@app.callback()
def options(
    config: Annotated[
        Path | None,
        typer.Option(
            envvar="DICOM_NODE_CONFIG", help="Default: ./config.yaml if there is one.", dir_okay=False
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options every command takes."""
    os.umask(0o077)  # what we write is of patients: for the node's user alone


def main() -> None:
    """The console script."""
    gc.disable()  # until the command is there: see `Deferred.load`
    gc.set_threshold(_SWEEP_AFTER)
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # looking for one takes a look at every package
    app()
