"""Models on the terminal: a list, one in full, a comparison."""

import json
from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Column, Table

from dicom_node.cli.session import out
from dicom_node.registry import Reader
from dicom_node.store.model_records import CONFIGURED, ModelAct, RegisteredModel, Standing
from models import Manifest
from models.agreement import FEW, Agreement, Pair

COLOURS = {
    Standing.ACTIVE: "bold green",
    Standing.SHADOW: "cyan",
    Standing.CANDIDATE: "yellow",
    Standing.RETIRED: "bright_black",
}


def row_of(model: RegisteredModel) -> dict[str, Any]:
    """An imported model as plain values, for JSON."""
    manifest = model.manifest
    return {
        "reference": model.digest,
        "name": manifest["name"],
        "version": manifest["version"],
        "standing": str(model.standing),
        "since": model.since.isoformat(),
        "imported_at": model.imported_at.isoformat(),
        "origin": model.origin,
        "signed_by": model.signer,
        "weights_sha256": manifest["weights_sha256"],
        "threshold": manifest["threshold"],
        "demonstration": manifest["demonstration"],
    }


def configured_row(reader: Reader, active: bool) -> dict[str, Any]:
    """The model of config.yaml as plain values; it was never imported."""
    manifest = reader.manifest
    return {
        "reference": CONFIGURED,
        "name": manifest.name,
        "version": manifest.version,
        "standing": "active" if active else "configured",
        "since": None,
        "imported_at": None,
        "origin": str(reader.folder) if reader.folder else "ships with the node",
        "signed_by": "",
        "weights_sha256": manifest.weights_sha256,
        "threshold": manifest.threshold if reader.threshold is None else reader.threshold,
        "demonstration": manifest.demonstration,
    }


def shown(
    row: dict[str, Any], manifest: Manifest, card: str, acts: Sequence[ModelAct], shadowed: dict[str, int]
) -> dict[str, Any]:
    """One model in full as plain values: what the list says of it, and all that `models show` prints.

    `threshold` is the one in use; the model's own is in `manifest`.
    """
    history = [
        {"at": act.at.isoformat(), "what": str(act.what), "who": act.who, "reason": act.reason}
        for act in acts
    ]
    whole = {"manifest": json.loads(manifest.as_json()), "card": card}
    return {**row, **whole, "history": history, "shadow_runs": shadowed}


def print_rows(rows: Sequence[dict[str, Any]], lineup: Sequence[str]) -> None:
    """The list: which model is called how, and how it stands."""
    table = Table("reference", Column("model", overflow="fold"), "standing", "since (UTC)", "from", box=None)
    for row in rows:
        standing = row["standing"]
        colour = COLOURS.get(standing, "default")
        since = (row["since"] or "")[:16].replace("T", " ")
        named = escape(f"{row['name']} {row['version']}")
        table.add_row(row["reference"][:12], named, f"[{colour}]{standing}[/]", since, escape(row["origin"]))
    out.print(table)
    if len(lineup) > 1:
        order = ", then ".join(reference[:12] for reference in lineup)
        out.print(f"a study is read by the first whose contract it fits: {order}", highlight=False)
    if any(row["demonstration"] for row in rows if row["reference"] in lineup):
        out.print("[bold red]DEMONSTRATION WEIGHTS, RESEARCH USE ONLY[/]")


def print_manifest(manifest: Manifest, threshold: float | None = None) -> None:
    """All a model says about itself; `threshold` is what config.yaml sets instead of its own."""
    table = Table(show_header=False, box=None)
    table.add_row("model", escape(f"{manifest.name} {manifest.version} ({manifest.architecture})"))
    table.add_row("weights", f"sha256 {manifest.weights_sha256}")
    table.add_row("preprocessing", f"sha256 {manifest.preprocessing.sha256}")
    table.add_row("predicts", escape(manifest.label))
    table.add_row("trained on", escape(manifest.trained_on))
    table.add_row("threshold", f"{manifest.threshold:.3f} ({escape(manifest.threshold_rule)})")
    if threshold is not None:
        table.add_row("", f"config.yaml sets {threshold:.3f} instead")
    table.add_row("attention", escape(manifest.attention_training or "as trained"))
    for name, value in manifest.scores.items():
        table.add_row(f"score: {name}", escape(str(value)))
    out.print(table)
    if manifest.demonstration:
        out.print("[bold red]DEMONSTRATION WEIGHTS, RESEARCH USE ONLY[/]")


def print_history(acts: Sequence[ModelAct], shadowed: dict[str, int]) -> None:
    """Who did what with a model, and what came of it in the shadow."""
    out.rule("history (UTC)")
    for act in acts:
        why = f"  {escape(act.reason)}" if act.reason else ""
        out.print(f"{act.at:%Y-%m-%d %H:%M:%S}  {act.what:<10} {escape(act.who)}{why}", highlight=False)
    if shadowed:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in shadowed.items())
        out.print(f"asked in the shadow: {counts}", highlight=False)


def print_agreement(names: tuple[str, str], found: Agreement, pairs: Sequence[Pair]) -> None:
    """Counts, figures, and every study that is decided differently."""
    first, second = (escape(name) for name in names)
    table = Table("", f"{second}: present", "absent", box=None)
    table.add_row(f"{first}: present", str(found.both), str(found.first_only))
    table.add_row("absent", str(found.second_only), str(found.neither))
    out.print(table)
    if found.observed is not None:
        kappa = "undefined: both always say the same" if found.kappa is None else f"{found.kappa:.3f}"
        spread = "" if found.shift_sd is None else f", standard deviation {found.shift_sd:.4f}"
        out.print(f"agreement {found.observed:.1%} of {found.studies} studies; Cohen's kappa {kappa}")
        out.print(
            f"probability: second minus first {found.shift_mean:+.4f} on average{spread}, "
            f"from {found.shift_lowest:+.4f} to {found.shift_highest:+.4f}",
            highlight=False,
        )
    if found.too_few:
        out.print(f"[yellow]fewer than {FEW} studies: too few to conclude[/]")
    for pair in pairs:
        if pair.positive[0] != pair.positive[1]:
            out.print(f"{pair.study}  {pair.first:.3f} against {pair.second:.3f}", highlight=False)
