"""Commands that change which models there are and which read studies."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from dicom_node.cli.audit import record
from dicom_node.cli.models_desk import Desk, open_desk, told, tried
from dicom_node.cli.models_look import WhichArgument
from dicom_node.cli.session import out, reported, session
from dicom_node.operate.bundle_sources import bundle_at
from dicom_node.operate.convert_model import as_weights
from dicom_node.operate.try_model import try_bundle_apart, try_model
from dicom_node.store.model_records import CONFIGURED
from models import WeightsCorrupt
from models.bare_weights import with_verdicts

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept in the history and the audit log.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")]


def import_model(
    ctx: typer.Context,
    path: Annotated[
        Path,
        typer.Argument(
            help="A bundle file, a bundle's folder, or bare weights: .keras, or a SavedModel.",
            metavar="FILE",
        ),
    ],
    contract: Annotated[
        Path | None,
        typer.Option(
            help="For bare weights: a manifest.json, in which the digests may be left out.", dir_okay=False
        ),
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Take a model in, as a candidate: it is checked and tried, and reads nothing yet.

    Everything is compared with its digest. The network is loaded in a confined process, asked about its
    golden studies, and held to what it says of its maps: up to a minute in all. If anything is wrong, nothing
    is kept. Twice does no harm; a retired model comes back.
    """
    with reported(), open_desk(session(ctx).settings) as desk:
        with as_weights(desk.settings, path, contract) as weights:
            bundle = bundle_at(weights, contract, desk.settings.model.trusted_keys)
        trial = tried(partial(try_bundle_apart, desk.settings, bundle))
        bundle = bundle if contract is None else with_verdicts(bundle, trial.verdicts)
        if not dry_run:
            record(desk.settings, "models-import", bundle.digest, str(path.resolve()))
            desk.registry.take(bundle, str(path.resolve()))
    called = escape(f"{bundle.manifest.name} {bundle.manifest.version}")
    verb = "would be kept as" if dry_run else "is kept as"
    out.print(f"{called} {verb} {bundle.digest[:12]}; {told(trial)}", highlight=False)


def activate(
    ctx: typer.Context,
    which: WhichArgument,
    beside: Annotated[
        bool,
        typer.Option(
            "--beside",
            help="First, before those that read now: they go on with what its contract does not fit. "
            "Without: alone.",
        ),
    ] = False,
    unproven: Annotated[
        bool, typer.Option("--unproven", help="Even if it has no golden studies to be tried with.")
    ] = False,
    reason: ReasonOption = "",
    dry_run: DryRunOption = False,
) -> None:
    """Have a model read studies, from the next one on; what is being read is finished with the old one.

    Its golden studies are asked first, in a process of its own: if an answer is not the one on record,
    nothing changes, and the exit code is 1. No restart is needed.
    """
    with reported(), open_desk(session(ctx).settings) as desk:
        digest = desk.find(which)
        lineup = desk.registry.activated(digest, beside=beside)
        if lineup == desk.lineup:
            out.print(f"{desk.called(digest)} reads already; nothing changed", highlight=False)
            return
        trial = tried(partial(try_model, desk.settings, desk.reader(digest).folder))
        if trial.studies == 0 and digest != CONFIGURED and not unproven:
            raise WeightsCorrupt(
                f"{desk.called(digest)} has no golden studies, so that nobody knows whether it answers here "
                "as it did where it was made; --unproven activates it in spite of that"
            )
        if not dry_run:
            record(desk.settings, "models-activate", digest, _audited(desk.called(digest), reason))
            desk.registry.activate(digest, beside=beside, reason=reason)
        out.print(told(trial), highlight=False)
        _print_lineup(desk, lineup, dry_run=dry_run)


def rollback(ctx: typer.Context, reason: ReasonOption = "", dry_run: DryRunOption = False) -> None:
    """Take back the last change of which models read. Again: the change before.

    Exit code 1 if there is nothing to take back.
    """
    with reported(), open_desk(session(ctx).settings) as desk:
        lineup = desk.registry.rolled_back()
        if not dry_run:
            record(desk.settings, "models-rollback", detail=_audited(desk.order(lineup), reason))
            desk.registry.rollback(reason)
        _print_lineup(desk, lineup, dry_run=dry_run)


def shadow(
    ctx: typer.Context,
    which: WhichArgument,
    off: Annotated[bool, typer.Option("--off", help="Out of the shadow: a candidate again.")] = False,
    reason: ReasonOption = "",
) -> None:
    """Have a model answer to live studies without a report: nothing of it goes to any destination.

    It is asked after the report, while no study waits, by a worker of its own that takes another gigabyte of
    memory as long as there is something to ask. `models diff` shows what it said.
    """
    with reported(), open_desk(session(ctx).settings) as desk:
        digest = desk.find(which)
        record(desk.settings, "models-shadow", digest, _audited("out of the shadow" if off else "", reason))
        (desk.registry.step_back if off else desk.registry.shadow)(digest, reason)
        then = "is a candidate again" if off else "is asked about every study that is read from now on"
        out.print(f"{desk.called(digest)} {then}", highlight=False)


def retire(
    ctx: typer.Context, which: WhichArgument, reason: ReasonOption = "", dry_run: DryRunOption = False
) -> None:
    """Have a model never read again, until it is imported anew.

    Its files stay, so that its reports can be verified. If no other model is active, the configured one reads
    from then on.
    """
    with reported(), open_desk(session(ctx).settings) as desk:
        digest = desk.find(which)
        left = desk.registry.without(digest)
        if not dry_run:
            record(desk.settings, "models-retire", digest, _audited(desk.called(digest), reason))
            desk.registry.retire(digest, reason)
        _print_lineup(desk, left, dry_run=dry_run)


def _print_lineup(desk: Desk, lineup: Sequence[str], *, dry_run: bool) -> None:
    would = "would read" if dry_run else "read"
    out.print(f"from the next study on {would}: {escape(desk.order(lineup))}", highlight=False)


def _audited(what: str, reason: str) -> str:
    return "; ".join(part for part in (what, reason) if part)
