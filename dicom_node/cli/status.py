"""The command that says how the node is doing: status."""

import typer
from rich.markup import escape
from rich.table import Table

from dicom_node.cli.session import Exit, JsonOption, open_database, out, print_json, reported, session
from dicom_node.operate.health import Health, health
from dicom_node.store.overview import counts


def status(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Is the node running, what waits, what failed, how much disk is left.

    Exit code 1 when something needs a person: a failed study, a delivery that was given up or not proved in
    time, a caller who was never told whether its images are kept.
    """
    with reported():
        settings = session(ctx).settings
        with open_database(settings) as engine:
            state = health(settings, counts(engine))
    if as_json:
        print_json(state.as_dict())
    else:
        _print_health(state)
    raise typer.Exit(Exit.OK if state.well else Exit.FAILED)


def _print_health(state: Health) -> None:
    running = f"process {state.pid}, port {state.port}" if state.pid else "[yellow]not running[/]"
    table = Table(show_header=False, box=None)
    table.add_row("node", running)
    table.add_row("images", str(state.images))
    table.add_row("studies", _counts(state.jobs))
    table.add_row("deliveries", _counts(state.deliveries))
    table.add_row("commitments", _counts(state.commitments))
    table.add_row("alarms", str(state.alarms))
    table.add_row("disk", f"{state.free_mb:,} MB free, {state.reserve_mb:,} MB are kept in reserve")
    out.print(table)
    for sentence in state.troubles:
        out.print(f"[red]![/] {escape(sentence)}", highlight=False)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"
