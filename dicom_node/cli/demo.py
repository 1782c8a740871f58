"""The command that shows the main job: demo."""

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from pydicom import dcmread
from rich.markup import escape
from rich.panel import Panel

from dicom_node import log
from dicom_node.cli.session import Exit, out, reported
from dicom_node.errors import NodeError
from dicom_node.jobs import State
from dicom_node.operate.demo import Outcome, Places, follow, make_study, running_node, save_pictures, sending
from dicom_node.store.records import JobEvent
from reports import sr_text


def demo(
    folder: Annotated[
        Path | None, typer.Option(help="Where to put everything. Default: demo/<now>.", file_okay=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Which phantom: the same seed is the same heart.")] = 7,
    scar: Annotated[bool, typer.Option(help="Whether its heart has a scar.")] = True,
) -> None:
    """Watch the main job: a simulated heart goes in by C-STORE, a report comes out in a PACS.

    A node and a small PACS start on free loopback ports; another process sends a phantom study. Nothing
    outside the folder is touched.
    """
    with reported():
        places = Places((folder or Path("demo") / f"{datetime.now():%Y%m%d-%H%M%S}").resolve())  # noqa: DTZ005 - a name for people
        if places.root.exists() and any(places.root.iterdir()):
            raise NodeError(f"{places.root} is not empty; give another --folder")
        places.root.mkdir(parents=True, exist_ok=True)
        outcome = _run(places, seed, scar)
        if outcome.job.state is not State.DELIVERED:
            raise NodeError(f"the study ended {outcome.job.state}: {outcome.job.reason}")
        _print_report(places, outcome)
    raise typer.Exit(Exit.OK)


def _run(places: Places, seed: int, scar: bool) -> Outcome:
    log.configure("warning")
    started = time.monotonic()

    def say(text: str) -> None:
        out.print(f"[dim]{time.monotonic() - started:5.1f} s[/]  {text}", highlight=False)

    def tell(event: JobEvent) -> None:
        say(f"[cyan]{event.to_state:<10}[/] {escape(event.reason)}")

    with out.status("rendering a beating phantom heart"):
        files = make_study(places, seed, scar)
    say(f"a phantom study of {len(files)} images, simulated, {'with' if scar else 'without'} scar")
    with out.status("starting the node and a PACS"), running_node(places) as (node, pacs):
        say(f"the node listens on port {node.port}")
        study = str(dcmread(files[0], specific_tags=["StudyInstanceUID"]).StudyInstanceUID)
        with sending(places, node.port) as sender:
            say("another process sends the study over DIMSE")
            job = follow(places, study, sender, tell)
        received = tuple(pacs.datasets())
    say(f"the PACS holds {len(received)} objects of ours")
    return Outcome(job, received)


def _print_report(places: Places, outcome: Outcome) -> None:
    pictures = save_pictures(places, outcome.received)
    out.print(Panel(escape(sr_text(outcome.report)), title="The report, as a reader sees it"))
    out.print(f"pictures      {places.pictures}  ({len(pictures)} PNG files)", highlight=False)
    out.print(f"in the PACS   {places.pacs}", highlight=False)
    out.print(f"what was sent {places.phantom}", highlight=False)
    out.print(f"the node      {places.node}", highlight=False)
