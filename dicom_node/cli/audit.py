"""Commands about the audit log: audit list, audit verify; and how other commands get into it."""

from collections import deque
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from dicom_node.audit_log import Act, AuditLog, Broken, Entry
from dicom_node.cli.session import Exit, JsonOption, err, open_store, out, print_json, reported, session
from dicom_node.clock import now_utc
from dicom_node.config import Settings
from dicom_node.keeping.sealing import first_broken

app = typer.Typer(
    help="Who did what: a log of which no entry can be changed unseen.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


def record(settings: Settings, what: str, subject: str = "", detail: str = "") -> None:
    """Write down that somebody does this, before it is done.

    Raises:
        AuditUnwritable: the log cannot be written, so it must not be done.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    AuditLog(settings.data_dir).append([Act(now_utc(), what, subject, detail)])


@app.command("list")
def show(
    ctx: typer.Context,
    last: Annotated[int, typer.Option(min=1, help="So many entries.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """The last entries of the audit log: who did what, and what became of each study."""
    with reported():
        found = deque(AuditLog(session(ctx).settings.data_dir).entries(), maxlen=last)
    entries = [one for one in found if isinstance(one, Entry)]
    if as_json:
        print_json([asdict(one) for one in entries])
        return
    for one in entries:
        out.print(
            f"{one.number}  {one.at[:19]}  {escape(one.who)}  {one.what}  {escape(one.subject)}  "
            f"{escape(one.detail)}",
            highlight=False,
        )
    out.print("the next entry is damaged; `dicom-node audit verify` says more" if _ends_broken(found) else "")


def _ends_broken(found: deque[Entry | Broken]) -> bool:
    return bool(found) and isinstance(found[-1], Broken)


@app.command()
def verify(
    ctx: typer.Context,
    holds: Annotated[
        str | None, typer.Option(help="A hash that was noted earlier: the log must hold that entry.")
    ] = None,
) -> None:
    """Recompute every hash of the audit log, and compare it with the database. Exit code 1 if one differs.

    Note the hash it prints somewhere else: with --holds it shows later that nothing was cut off the end.
    """
    with reported():
        settings = session(ctx).settings
        audit = AuditLog(settings.data_dir)
        with open_store(settings) as store:
            last, broken = first_broken(store, audit)
    if broken is not None:
        err.print(f"[red]entry {broken.number}:[/] {broken.reason}", highlight=False)
        raise typer.Exit(Exit.FAILED)
    if holds is not None and holds not in (one.hash for one in audit.entries() if isinstance(one, Entry)):
        err.print("[red]the log does not hold that entry any more[/]: it was cut short, or begun anew")
        raise typer.Exit(Exit.FAILED)
    found = f"{last.number} entries, the last is {last.hash}" if last else "the log is empty"
    out.print(f"every entry is as it was written: {found}", highlight=False)
