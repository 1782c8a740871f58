"""Commands about the database: db upgrade, db backup, db reconcile."""

from pathlib import Path
from typing import Annotated

import typer

from dicom_node.archive import Archive
from dicom_node.cli.audit import record
from dicom_node.cli.session import open_store, out, reported, session
from dicom_node.clock import now_utc
from dicom_node.keeping.backup import back_up
from dicom_node.keeping.reconcile import Differences, Reconciler
from dicom_node.migrations import migrate
from dicom_node.places import archive_dir, results_dir
from dicom_node.routing import Routes
from dicom_node.running import DataDirectoryLock

app = typer.Typer(help="The job database.", no_args_is_help=True, rich_markup_mode=None, add_completion=False)


@app.command()
def upgrade(ctx: typer.Context) -> None:
    """Bring the database to this version's schema. `serve` does it by itself; twice does no harm."""
    with reported():
        settings = session(ctx).settings
        record(settings, "db-upgrade")
        migrate(settings.database_url)
    out.print("the database is up to date")


@app.command()
def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to put the copy; must not exist.", dir_okay=False)],
) -> None:
    """Copy the database, whole and checked, also while the node runs on it."""
    with reported():
        settings = session(ctx).settings
        record(settings, "db-backup", str(file.resolve()))
        back_up(settings.database_url, file)
    out.print(f"backed up to {file}", highlight=False)


@app.command()
def reconcile(
    ctx: typer.Context,
    apply: Annotated[bool, typer.Option("--apply", help="Do it. Without: only show it.")] = False,
) -> None:
    """What archive and results know that the database does not, for example after a backup was restored.

    The node must not be running. `serve` does the same when it starts.
    """
    with reported():
        settings = session(ctx).settings
        lock = DataDirectoryLock(settings.data_dir)
        lock.acquire()
        routes = Routes.of(settings.destinations)
        archive = Archive(archive_dir(settings), reserve_bytes=0)
        try:
            with open_store(settings) as store:
                if apply:
                    record(settings, "db-reconcile")
                reconciler = Reconciler(store, archive, results_dir(settings), routes, now_utc)
                found = reconciler.apply() if apply else reconciler.plan()
        finally:
            lock.release()
    _print_differences(found, apply)


def _print_differences(found: Differences, applied: bool) -> None:
    out.print(f"{found.new_files} archived files without a row, {found.lost_files} rows without their file")
    for one in found.unknown_runs:
        kinds = ", ".join(sorted({result.kind for result in one.results}))
        made = f"made {one.run.recorded_at:%Y-%m-%d %H:%M} UTC"
        out.print(f"unknown results of {one.run.study_instance_uid}, {made}: {kinds}", highlight=False)
    if not (found.new_files or found.lost_files or found.unknown_runs):
        out.print("database and files agree")
    elif not applied:
        out.print("nothing was changed; --apply does it, and so does the next `serve`")
