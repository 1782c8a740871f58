"""The command about what stays on the disk: retention."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from dicom_node.archive import Archive
from dicom_node.cli.audit import record
from dicom_node.cli.session import JsonOption, open_store, out, print_json, reported, session
from dicom_node.clock import now_utc
from dicom_node.keeping.retention import Retention
from dicom_node.keeping.rules import Removal
from dicom_node.places import archive_dir


def retention(
    ctx: typer.Context,
    apply: Annotated[bool, typer.Option("--apply", help="Remove it. Without: only show it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Which studies' images would go by `retain` in config.yaml, why, and how much that frees.

    Reports, pictures and each study's history stay in any case. A running node does the same once an hour.
    """
    with reported():
        settings = session(ctx).settings
        archive = Archive(archive_dir(settings), reserve_bytes=0)
        with open_store(settings) as store:
            keeper = Retention(store, archive, settings.retain, now_utc)
            found = keeper.apply() if apply else keeper.plan()
        if apply and found:
            # afterwards: on a full disk there is no room for the entry before; the history names each study
            record(settings, "retention", detail=f"images of {len(found)} studies removed")
    if as_json:
        print_json([_row(one) for one in found])
        return
    if not settings.retain.active:
        out.print("images stay for ever: `retain` in config.yaml gives no reason to remove any")
        return
    _print_removals(found, "removed" if apply else "would be removed; --apply does it")


def _row(removal: Removal) -> dict[str, Any]:
    job = removal.study.job
    return {
        "study_instance_uid": job.study_instance_uid,
        "state": str(job.state),
        "since": removal.study.since.isoformat(),
        "bytes": removal.size_bytes,
        "reason": removal.reason,
    }


def _print_removals(found: list[Removal], what: str) -> None:
    table = Table(Column("study", overflow="fold"), "state", "since (UTC)", "MB", "why", box=None)
    for one in found:
        table.add_row(
            one.study.job.study_instance_uid,
            str(one.study.job.state),
            f"{one.study.since:%Y-%m-%d %H:%M}",
            f"{one.size_bytes / 1e6:,.1f}",
            escape(one.reason),
        )
    if found:
        out.print(table)
    total_mb = sum(one.size_bytes for one in found) / 1e6
    out.print(f"images of {len(found)} studies, {total_mb:,.1f} MB, {what}", highlight=False)
