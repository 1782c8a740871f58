"""Commands that test the surroundings: echo, doctor, conformance."""

from typing import Annotated

import typer
from rich.markup import escape

from dicom_node.cli.act import named_destination
from dicom_node.cli.session import Exit, JsonOption, err, out, print_json, reported, session
from dicom_node.from_settings import destinations
from dicom_node.operate.doctor import examine
from dicom_node.operate.finding import Finding, Level
from dicom_node.statement import statement

_SIGNS = {Level.FINE: "[green]✓[/]", Level.WARNING: "[yellow]![/]", Level.PROBLEM: "[red]✗[/]"}


def echo(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A destination's name in config.yaml.")],
) -> None:
    """C-ECHO a destination: is it there, and does it know us? Exit code 4 if not."""
    with reported():
        settings = session(ctx).settings
        wanted = named_destination(settings, name)
        pacs = next(one for one in destinations(settings) if one.name == wanted.name)
        result = pacs.echo()
    (out if result.alive else err).print(result.sentence, highlight=False)
    raise typer.Exit(Exit.OK if result.alive else Exit.UNREACHABLE)


def conformance() -> None:
    """Print the DICOM conformance statement, made from the tables the node runs on."""
    typer.echo(statement(), nl=False)


def doctor(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Look at everything the node needs, and say what to do about what is wrong.

    Exit code 1 when there is a problem; warnings alone leave 0.
    """
    with reported():
        settings = session(ctx).settings
    findings = list(examine(settings))
    if as_json:
        print_json([finding.as_dict() for finding in findings])
    else:
        _print_findings(findings)
    bad = any(finding.level is Level.PROBLEM for finding in findings)
    raise typer.Exit(Exit.FAILED if bad else Exit.OK)


def _print_findings(findings: list[Finding]) -> None:
    for finding in findings:
        out.print(f"{_SIGNS[finding.level]} {finding.what:<14} {escape(finding.found)}", highlight=False)
        if finding.advice:
            out.print(f"    [bold]→[/] {escape(finding.advice)}", highlight=False)
