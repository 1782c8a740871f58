"""Commands about what was delivered already: resend, reconcile."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from dicom_node.cli.act import named_destination
from dicom_node.cli.audit import record
from dicom_node.cli.look import StudyArgument
from dicom_node.cli.session import Exit, JsonOption, err, open_store, out, print_json, reported, session
from dicom_node.clock import now_utc
from dicom_node.config import Settings
from dicom_node.config_destinations import AnyDestination
from dicom_node.delivery.destination import Destination
from dicom_node.errors import ConfigError
from dicom_node.from_settings import destinations
from dicom_node.operate.reconcile import Missing, accept, send_again
from dicom_node.operate.reconcile import reconcile as look_for
from dicom_node.operate.resend import Only, Resent, carry_out, plan
from dicom_node.operate.show import find_study
from dicom_node.places import results_dir
from dicom_node.routing import Routes
from dicom_node.store import Store

ToOption = Annotated[
    list[str] | None, typer.Option("--to", help="A destination's name; may be given again. Default: all.")
]


def resend(
    ctx: typer.Context,
    study: StudyArgument,
    to: ToOption = None,
    only: Annotated[Only | None, typer.Option(help="Reports (sr) or pictures (sc) alone.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Send a study's current objects again, also to a destination that is new. The running node does it.

    Twice does no harm. Exit code 1 when there is nothing to send.
    """
    with reported():
        settings = session(ctx).settings
        routes = Routes.of(_named(settings, to))
        with open_store(settings) as store:
            uid = find_study(store, study)
            planned = plan(store, uid, routes, only)
            if planned and not dry_run:
                record(settings, "resend", uid, f"{len(planned)} objects")
                carry_out(store, uid, planned, now_utc())
    if as_json:
        print_json([one.as_dict() for one in planned])
    else:
        _print_plan(planned, dry_run=dry_run)
    raise typer.Exit(Exit.OK if planned else Exit.FAILED)


def _print_plan(planned: list[Resent], *, dry_run: bool) -> None:
    if not planned:
        err.print(
            "there is nothing to send: no such object of this study stands, or no destination accepts one"
        )
        return
    for one in planned:
        what = "waits already" if one.waits else "would be sent" if dry_run else "is queued"
        out.print(f"{one.kind} {what} for {one.destination}: {one.sop_instance_uid}", highlight=False)


def reconcile(
    ctx: typer.Context,
    to: ToOption = None,
    since: Annotated[
        datetime | None, typer.Option(help="Only what was sent since then (UTC). Default: everything.")
    ] = None,
    send: Annotated[bool, typer.Option("--resend", help="Send what is missing again.")] = False,
    accepted: Annotated[
        bool, typer.Option("--accept", help="What is missing was removed on purpose: ask for it no more.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask destinations, by C-FIND or QIDO-RS, for everything they took, and list what they do not hold.

    Exit code 1 when something is missing, 4 when a destination did not answer.
    """
    with reported():
        if send and accepted:
            raise ConfigError("--resend and --accept do not go together")
        settings = session(ctx).settings
        from_then = since.replace(tzinfo=UTC) if since else None
        missing: list[Missing] = []
        with open_store(settings) as store:
            for pacs in _chosen(settings, to):
                count, lost = look_for(store, pacs, results_dir(settings), from_then)
                missing += lost
                err.print(f"{pacs.name}: {count - len(lost)} of {count} objects are there", highlight=False)
            said = _settle(settings, store, missing, send=send, accepted=accepted)
    if as_json:
        print_json([one.as_dict() for one in missing])
    else:
        for one in missing:
            where = f"{one.kind} {one.sop_instance_uid} of study {one.study_instance_uid}"
            out.print(f"[red]missing at {one.destination}:[/] {where}", highlight=False)
    for sentence in said:
        err.print(escape(sentence), highlight=False)
    raise typer.Exit(Exit.FAILED if missing else Exit.OK)


def _settle(
    settings: Settings, store: Store, missing: list[Missing], *, send: bool, accepted: bool
) -> list[str]:
    """Do with what is missing as was asked for; sentences on what came of it."""
    if not missing or not (send or accepted):
        return []
    done = "sent again" if send else "accepted as removed"
    record(settings, "reconcile", detail=f"{len(missing)} objects are {done}")
    if accepted:
        return [f"{accept(store, missing, now_utc())} objects are accepted as removed"]
    queued, refused = send_again(store, missing, now_utc())
    return [*(f"not sent again: {sentence}" for sentence in refused), f"{queued} objects are queued again"]


def _named(settings: Settings, names: list[str] | None) -> list[AnyDestination]:
    """These destinations, or all.

    Raises:
        ConfigError: there is none of that name.
    """
    wanted = {named_destination(settings, name).name for name in names or ()}
    return [one for one in settings.destinations if not wanted or one.name in wanted]


def _chosen(settings: Settings, names: list[str] | None) -> list[Destination]:
    """The same, to be talked to."""
    wanted = {one.name for one in _named(settings, names)}
    return [pacs for pacs in destinations(settings) if pacs.name in wanted]
