"""The command that follows a result back to its images, or an image or a model to its results: trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dicom_node.archive import Archive
from dicom_node.cli.session import Exit, JsonOption, err, open_store, out, print_json, reported, session
from dicom_node.cli.trace_view import objects_tree, trace_tree, verification_tree
from dicom_node.config import Settings
from dicom_node.operate.trace import Trace, made_by_model, made_from_instance, trace_object
from dicom_node.operate.trace_json import object_as_dict, objects_from_instance, trace_as_dict
from dicom_node.operate.trace_target import find_object
from dicom_node.operate.verify import Tell, Verification, Verifier
from dicom_node.places import archive_dir
from dicom_node.store import Store


def trace(
    ctx: typer.Context,
    what: Annotated[
        str | None,
        typer.Argument(metavar="SR_FILE_OR_UID", help="A DICOM file of ours, or its SOP Instance UID."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="List what a model's answers became: its weights' SHA-256, or a beginning."),
    ] = None,
    instance: Annotated[
        str | None, typer.Option(help="List what was made of a received image: its SOP Instance UID.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--verify", help="Recompute every digest and repeat the analysis.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Where did this report come from? Images with digests, model, settings, software, host, deliveries.

    Changes nothing, and may run beside a working node. Exit code 1 when --verify finds a difference, 5 when
    no object goes by the name.
    """
    _refuse_mixtures(what, model, instance, check)
    with reported():
        settings = session(ctx).settings
        with open_store(settings) as store:
            if what is None:
                _print_made(store, model, instance, as_json)
                return
            found, verification = _trace(store, settings, what, check)
    _print_trace(found, verification, as_json)
    raise typer.Exit(Exit.OK if verification is None or verification.identical else Exit.FAILED)


def _refuse_mixtures(what: str | None, model: str | None, instance: str | None, check: bool) -> None:
    if [what, model, instance].count(None) != 2:
        raise typer.BadParameter("give one of SR_FILE_OR_UID, --model and --instance")
    if check and what is None:
        raise typer.BadParameter("--verify needs SR_FILE_OR_UID")


def _trace(store: Store, settings: Settings, what: str, check: bool) -> tuple[Trace, Verification | None]:
    archive = Archive(archive_dir(settings), reserve_bytes=0)
    own, file = find_object(store, what)
    found = trace_object(store, archive, own)
    if not check:
        return found, None
    with _progress() as tell:
        return found, Verifier(archive, settings, tell).verify(found, file)


def _print_trace(found: Trace, verification: Verification | None, as_json: bool) -> None:
    if as_json:
        print_json(trace_as_dict(found) | ({"verification": verification.as_dict()} if verification else {}))
        return
    out.print(trace_tree(found), highlight=False)
    if verification:
        out.print(verification_tree(verification), highlight=False)


def _print_made(store: Store, model: str | None, instance: str | None, as_json: bool) -> None:
    if model is not None:
        objects = made_by_model(store, model)
        rows, title = [object_as_dict(one) for one in objects], f"made by model {model}"
    else:
        found = made_from_instance(store, str(instance))
        objects = [own for own, _ in found]
        rows, title = objects_from_instance(found), f"made from image {instance}"
    if as_json:
        print_json(rows)
    else:
        out.print(objects_tree(title, objects), highlight=False)


@contextmanager
def _progress() -> Iterator[Tell]:
    """A bar for what is being counted, the name alone for what is not; on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("looking", total=None)
        doing = ""

        def tell(stage: str, total: int) -> None:
            nonlocal doing
            if stage != doing:
                doing = stage
                progress.reset(task, description=stage, total=total or None)
            progress.advance(task)

        yield tell
