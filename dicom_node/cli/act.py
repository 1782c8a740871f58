"""Commands that change something: retry, send, export."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dicom_node.archive import Archive
from dicom_node.cli.audit import record
from dicom_node.cli.look import StudyArgument
from dicom_node.cli.session import Exit, err, open_store, out, reported, session
from dicom_node.clock import now_utc
from dicom_node.config import Settings
from dicom_node.config_destinations import AnyDestination, WebDestination
from dicom_node.config_sections import Destination
from dicom_node.deidentify.key import research_key
from dicom_node.delivery.sender import Outgoing, Sent, find_files, send_files
from dicom_node.errors import ConfigError
from dicom_node.operate.export import export_study
from dicom_node.operate.research import Exported, Research, export_for_research
from dicom_node.operate.show import find_study
from dicom_node.places import archive_dir
from dicom_node.running import holder


def retry(ctx: typer.Context, study: StudyArgument) -> None:
    """Start a failed or rejected study, or its undelivered objects, again."""
    with reported():
        settings = session(ctx).settings
        with open_store(settings) as store:
            uid = find_study(store, study)
            record(settings, "retry", uid)
            known = [destination.name for destination in settings.destinations]
            let_go = store.endings.let_go(uid, known, now_utc())
            queued = store.retry(uid, now_utc())
            job = store.job(uid)
    if let_go:
        out.print(f"{let_go} objects are let go: their destination is not in config.yaml", highlight=False)
    if queued:
        out.print(f"{uid} is queued again", highlight=False)
    elif not let_go:
        err.print(f"nothing to try again: the study is {job.state if job else 'unknown'}")
        raise typer.Exit(Exit.FAILED)


def send(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="DICOM files, or folders of them.", exists=True)],
    to: Annotated[
        str | None, typer.Option("--to", help="A destination's name. Default: this node itself.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="HOST:PORT:AE_TITLE of a peer that is not in config.yaml.")
    ] = None,
    calling: Annotated[str, typer.Option(help="Our AE title while sending.")] = "DICOMNODE-SEND",
) -> None:
    """Send files by C-STORE, as a scanner would: by default to this node, to try it.

    Exit code 1 when a file was refused, 4 when nobody answered.
    """
    with reported():
        peer = _peer(session(ctx).settings, to, address)
        files, skipped = find_files(paths)
        for path in skipped:
            err.print(f"[yellow]not DICOM:[/] {path}", highlight=False)
        results = _send_with_progress(files, peer, calling)
    failed = [result for result in results if not result.stored]
    for result in failed:
        answer = "no answer" if result.status is None else f"0x{result.status:04X}"
        err.print(f"[red]{answer}[/] {result.comment} {result.path}", highlight=False)
    out.print(f"{len(results) - len(failed)} of {len(results)} stored by {peer.ae_title}")
    raise typer.Exit(Exit.OK if files and not failed else Exit.FAILED)


def _peer(settings: Settings, to: str | None, address: str | None) -> Destination:
    if address is not None:
        host, _, rest = address.rpartition(":")[0].rpartition(":")
        title = address.rpartition(":")[2]
        if not (host and rest.isdigit()):
            raise ConfigError("--address is HOST:PORT:AE_TITLE, for example 192.0.2.7:104:PACS")
        return Destination(name="address", host=host, port=int(rest), ae_title=title)
    if to is not None:
        named = named_destination(settings, to)
        if isinstance(named, WebDestination):
            raise ConfigError(f"{named.name} is reached by DICOMweb; `send` speaks C-STORE only")
        return named
    owner = holder(settings.data_dir)
    receive = settings.receive
    port = owner.port if owner and owner.port else receive.port
    return Destination(name="self", host=receive.host, port=port, ae_title=receive.ae_title)


def named_destination(settings: Settings, name: str) -> AnyDestination:
    """The destination called `name` in config.yaml.

    Raises:
        ConfigError: there is none; the message lists those there are.
    """
    for destination in settings.destinations:
        if destination.name == name:
            return destination
    known = ", ".join(destination.name for destination in settings.destinations) or "none is configured"
    raise ConfigError(f"no destination is called {name!r} ({known})")


def _send_with_progress(files: list[Outgoing], peer: Destination, calling: str) -> list[Sent]:
    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("send", total=len(files))
        return send_files(
            files, (peer.host, peer.port), peer.ae_title, calling, lambda _: progress.advance(task)
        )


def export(
    ctx: typer.Context,
    study: StudyArgument,
    folder: Annotated[Path, typer.Argument(help="Where to write; made if it is not there.")],
    deidentify: Annotated[
        bool, typer.Option("--deidentify", help="Without the patient, for research (PS3.15 Annex E).")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="With --deidentify: say what would be written, and write nothing."),
    ] = False,
) -> None:
    """Copy a study's images out of the archive under readable names, byte for byte as they came.

    With --deidentify they are written anew without their patient, under numbers. Exit code 1 if an image
    had to stay behind.
    """
    if dry_run and not deidentify:
        raise typer.BadParameter("--dry-run belongs to --deidentify")
    with reported():
        settings = session(ctx).settings
        archive = Archive(archive_dir(settings), reserve_bytes=0)
        with open_store(settings) as store:
            uid = find_study(store, study)
            how = "de-identified, " if deidentify else ""
            if not dry_run:
                record(settings, "export", uid, f"{how}to {folder.resolve()}")
            if deidentify:
                key = research_key(settings.data_dir)
                research = Research(
                    None if dry_run else folder, key, settings.data_dir, settings.model.confined
                )
                _print_exported(export_for_research(store, archive, uid, research), research)
                return
            written = export_study(store, archive, uid, folder)
    out.print(f"{len(written)} files in {folder}", highlight=False)


def _print_exported(exported: Exported, research: Research) -> None:
    where = f"in {research.folder}" if research.folder else "would be written"
    out.print(f"{exported.images} images of {exported.subject} {where}", highlight=False)
    if exported.unclear:
        err.print(
            f"[yellow]look at them first:[/] {exported.unclear} may have names burned into them",
            highlight=False,
        )
    for reason, count in exported.left_out.items():
        err.print(f"[red]left out:[/] {count} images: {reason}", highlight=False)
    if exported.left_out or not exported.images:
        raise typer.Exit(Exit.FAILED)
