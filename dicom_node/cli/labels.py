"""Commands about what is known of studies from elsewhere: labels import, labels export, labels list."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from dicom_node.audit_log import os_user
from dicom_node.cli.audit import record
from dicom_node.cli.session import JsonOption, open_store, out, print_json, reported, session
from dicom_node.clock import now_utc
from dicom_node.config import Settings
from dicom_node.errors import LabelsRefused
from dicom_node.store.labels import StoredLabel

app = typer.Typer(
    help="What is known of studies from elsewhere, such as a reading of late enhancement.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


@app.command("import")
def import_table(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A table in CSV.", dir_okay=False, exists=True)],
    replace: Annotated[
        bool, typer.Option("--replace", help="Correct answers that differ; the former ones stay as history.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
) -> None:
    """Take in what is known of studies: a line per study, a column per label.

    The columns are study_instance_uid, patient_id, source, date (such as 2026-03-01), and one or more labels,
    such as Scar: yes or no, 1 or 0; empty where nothing is known. A table with any fault changes nothing.
    """
    from dicom_node.operate.labels import Change, plan_import

    with reported():
        settings = session(ctx).settings
        with open_store(settings) as store:
            change: Change = plan_import(file, store.labels, replace=replace)
            if not dry_run and (change.added or change.replaced):
                _record(settings, file, change)
                written = [*change.added, *(new for _, new in change.replaced)]
                store.labels.change(written, [old for old, _ in change.replaced], now_utc(), os_user())
    how = "would be " if dry_run else ""
    out.print(
        f"{len(change.added)} {how}added, {len(change.replaced)} {how}replaced, {change.unchanged} as known",
        highlight=False,
    )


def _record(settings: Settings, file: Path, change: Any) -> None:
    from dicom_node.operate.labels import told

    record(settings, "labels-import", str(file.resolve()), f"{len(change.added)} added")
    for old, new in change.replaced:
        detail = f"{new.label}: {told(old.answer)} to {told(new.answer)} ({new.source}, {new.read_on})"
        record(settings, "label-replaced", new.study, detail)


@app.command()
def export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to write; must not exist.", dir_okay=False)],
    label_column: Annotated[
        str, typer.Option(help="Only studies with an answer to this label, as `train --labels` wants it.")
    ] = "",
) -> None:
    """Write what is known of studies as a table, in the form that `import` takes. It names patients."""
    from dicom_node.operate.labels import as_table

    with reported():
        settings = session(ctx).settings
        with open_store(settings) as store:
            standing = store.labels.standing()
        found = [one for one in standing if label_column in ("", one.label)]
        if not found:
            known = ", ".join(sorted({one.label for one in standing})) or "none"
            raise LabelsRefused(f"there is nothing to export; known labels: {known}")
        record(settings, "labels-export", str(file.resolve()))
        try:
            with file.open("x", encoding="utf-8") as table:
                table.write(as_table(found))
        except OSError as error:
            raise LabelsRefused(f"{file} cannot be written: {error.strerror}") from error
    out.print(
        f"{len(found)} labels of {len({one.study for one in found})} studies in {file}", highlight=False
    )


@app.command("list")
def show(
    ctx: typer.Context,
    history: Annotated[bool, typer.Option("--history", help="Also answers that were replaced.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What is known of which study, who says so, since when, and who brought it in."""
    with reported(), open_store(session(ctx).settings) as store:
        found = store.labels.history() if history else store.labels.standing()
    if as_json:
        print_json([asdict(one) for one in found])
        return
    table = Table(
        Column("study", overflow="fold"),
        "patient",
        "label",
        "answer",
        "source",
        "date",
        "imported (UTC)",
        box=None,
    )
    for one in found:
        table.add_row(*_row(one))
    out.print(table if found else "no labels")


def _row(label: StoredLabel) -> tuple[str, ...]:
    from dicom_node.operate.labels import told

    until = f"; until {label.superseded_at:%Y-%m-%d %H:%M}" if label.superseded_at else ""
    return (
        label.study,
        escape(label.patient),
        escape(label.label),
        told(label.answer),
        escape(label.source),
        str(label.read_on),
        f"{label.imported_at:%Y-%m-%d %H:%M} by {escape(label.imported_by)}{until}",
    )
