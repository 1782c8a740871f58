"""Commands that look at studies, and change nothing: jobs, show."""

from typing import Annotated, Any

import typer
from pydicom import dcmread
from rich.markup import escape
from rich.table import Column, Table

from dicom_node.cli.session import JsonOption, open_store, out, print_json, reported, session
from dicom_node.config import Settings
from dicom_node.jobs import State
from dicom_node.operate.show import StudyView, find_study, result_file, view_study
from dicom_node.places import results_dir
from reports import sr_text

StudyArgument = Annotated[
    str, typer.Argument(help="Study Instance UID, or enough of its beginning or end to be unique.")
]

_COLOURS = {
    State.RECEIVING: "cyan",
    State.READY: "blue",
    State.RUNNING: "blue",
    State.DELIVERING: "yellow",
    State.DELIVERED: "green",
    State.COMMITTED: "bold green",
    State.UNCONFIRMED: "red",
    State.REJECTED: "magenta",
    State.FAILED: "red",
}


def jobs(
    ctx: typer.Context,
    state: Annotated[State | None, typer.Option(help="Only studies in this state.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Every study the node knows, the longest unchanged first."""
    with reported():
        settings = session(ctx).settings
        with open_store(settings) as store:
            found = store.jobs(state)
    if as_json:
        print_json([_job_row(job) for job in found])
        return
    study = Column("study", overflow="fold")
    table = Table(study, "state", "since (UTC)", "runs", "why", box=None)
    for job in found:
        colour = _COLOURS[job.state]
        since = f"{job.changed_at:%Y-%m-%d %H:%M:%S}"
        why = f"[bold red]withheld:[/] {escape(job.alarm)}" if job.alarm else escape(job.reason)
        table.add_row(job.study_instance_uid, f"[{colour}]{job.state}[/]", since, str(job.attempts), why)
    out.print(table if found else "no studies")


def _job_row(job: Any) -> dict[str, Any]:
    return {
        "study_instance_uid": job.study_instance_uid,
        "state": str(job.state),
        "changed_at": job.changed_at.isoformat(),
        "attempts": job.attempts,
        "reason": job.reason,
        "alarm": job.alarm,
    }


def show(ctx: typer.Context, study: StudyArgument, as_json: JsonOption = False) -> None:
    """One study: what came, why it was ready or not, what was made of it, and where that went."""
    with reported():
        settings = session(ctx).settings
        with open_store(settings) as store:
            view = view_study(store, find_study(store, study))
    if as_json:
        print_json(view.as_dict())
    else:
        _print_view(view, settings)


def _print_view(view: StudyView, settings: Settings) -> None:
    job = view.job
    out.print(f"[bold]{job.study_instance_uid}[/]  [{_COLOURS[job.state]}]{job.state}[/]", highlight=False)
    if job.reason:
        out.print(escape(job.reason), highlight=False)
    if job.alarm:
        out.print(f"[bold red]withheld until `dicom-node retry`:[/] {escape(job.alarm)}", highlight=False)
    if view.notice:
        out.print(f"not analysed; {escape(view.notice)}", highlight=False)
    if view.images_removed_at is not None:
        out.print(f"images removed at {view.images_removed_at:%Y-%m-%d %H:%M} UTC", highlight=False)
    _print_verdict(view.verdict)
    _print_series(view)
    _print_events(view)
    _print_deliveries(view)
    if view.current_sr is not None:
        path = result_file(results_dir(settings), view.current_sr)
        out.rule("the report")
        if view.model:
            out.print(f"by {escape(view.model)}; more: `dicom-node trace`", highlight=False)
        out.print(sr_text(dcmread(path)), markup=False, highlight=False)


def _print_verdict(verdict: dict[str, Any]) -> None:
    if not verdict:
        return
    out.rule("complete?")
    out.print(escape(str(verdict.get("sentence", ""))), highlight=False)
    out.print(f"rule {verdict.get('rule', '')}, confidence {verdict.get('confidence', 0):.2f}")
    for evidence in verdict.get("evidence", ()):
        out.print(f"  {escape(str(evidence))}", highlight=False)


def _print_series(view: StudyView) -> None:
    out.rule("images")
    table = Table(
        "no.", "series", "modality", "images", "not kept", "replaced", "lost", "removed", "trouble", box=None
    )
    for one in view.series:
        table.add_row(
            str(one.series_number if one.series_number is not None else ""),
            escape(one.series_description or one.series_instance_uid),
            escape(one.modality),
            *(str(count) for count in (one.images, one.discarded, one.replaced, one.missing, one.removed)),
            escape("; ".join(one.unusable)),
        )
    out.print(table)
    for sentence in sorted(set(view.unusable)):
        out.print(f"  {escape(sentence)}", highlight=False)


def _print_events(view: StudyView) -> None:
    out.rule("history (UTC)")
    for event in view.events:
        arrow = event.to_state if event.from_state == event.to_state else f"→ {event.to_state}"
        out.print(
            f"{event.at:%Y-%m-%d %H:%M:%S}  {arrow:<12} {event.actor:<10} {escape(event.reason)}",
            highlight=False,
        )


def _print_deliveries(view: StudyView) -> None:
    out.rule("deliveries")
    table = Table("to", "object", "state", "tries", "answer", "proof", "comment", box=None)
    for one in view.deliveries:
        answer = "" if one.status is None else f"0x{one.status:04X}"
        kind = one.kind if one.current else f"{one.kind} (superseded)"
        proof = " by ".join(part for part in (str(one.proof), one.proof_method) if part)
        tried = str(one.state), str(one.attempts), answer
        table.add_row(one.destination, kind, *tried, proof, escape(one.proof_comment or one.comment))
    out.print(table if view.deliveries else "none")
