"""How a trace and a verification look in a terminal."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from pydicom.uid import UID
from rich.markup import escape
from rich.tree import Tree

from dicom_node.operate.differences import Difference
from dicom_node.operate.digests import Checked
from dicom_node.operate.trace import Trace
from dicom_node.operate.verify import Verification
from dicom_node.store.records import Delivery
from dicom_node.store.run_records import OwnObject, Run
from reports import Refusal

_FEW = 3
"""So many of a long list are shown; --json has all."""
_SOME = 20
_SIGNS = {True: "[green]✓[/]", False: "[red]✗[/]"}


def trace_tree(trace: Trace) -> Tree:
    """One result, and everything that it came from and that became of it."""
    result = trace.result
    stands = "[green]current[/]" if result.current else f"[yellow]superseded {_time(result.superseded_at)}[/]"
    tree = Tree(f"[bold]{result.kind} {result.sop_instance_uid}[/]  {stands}")
    tree.add(f"study {escape(trace.own.study_instance_uid)}")
    if trace.own.sent_sop_class_uid:
        tree.add(f"asked about as {UID(trace.own.sent_sop_class_uid).name}, which is the same report")
    tree.add(f"file results/{result.path}, sha256 {result.digest}")
    if trace.run is None:
        tree.add(f"made {_time(result.made_at)}; [yellow]{trace.not_recorded}[/]")
    else:
        _add_run(tree, trace.run)
    if trace.model:
        _add_model(tree, trace.model)
    if trace.run:
        _add_sources(tree, trace)
    _add_deliveries(tree, trace.deliveries)
    if trace.together:
        beside = tree.add(f"made together with {len(trace.together)} objects")
        _add_some(beside, [f"{one.kind} {one.sop_instance_uid}" for one in trace.together])
    if trace.before:
        tree.add(f"supersedes {trace.before.kind} {trace.before.sop_instance_uid}")
    if trace.after:
        tree.add(f"superseded by {trace.after.kind} {trace.after.sop_instance_uid}")
    return tree


def _add_run(tree: Tree, run: Run) -> None:
    times = tree.add("times (UTC)")
    times.add(f"images received {_time(run.received_first_at)} to {_time(run.received_last_at)}")
    times.add(f"claimed {_time(run.claimed_at)}, which is the reports' clock; run {run.attempt}")
    times.add(f"made {_time(run.recorded_at)}, after {run.seconds:.1f} s and {run.peak_rss_mb:.0f} MB")
    made_on = run.installation
    place = tree.add(
        f"host {escape(str(made_on.get('host', '')))}, {escape(str(made_on.get('platform', '')))}"
    )
    commit = f", commit {made_on['commit']}" if made_on.get("commit") else ""
    place.add(
        f"dicom-node {made_on.get('version', '')}{commit}, source sha256 {made_on.get('source_sha256', '')}"
    )
    libraries = made_on.get("libraries", {})
    place.add(", ".join(f"{name} {version}" for name, version in libraries.items()))
    settings = tree.add(f"configuration sha256 {run.request.get('config_sha256', '')}")
    for name, value in run.config.items():
        settings.add(f"{name}: {escape(_plain(value))}")
    if run.findings:
        _add_findings(tree, run.findings)
    else:
        tree.add(escape(f"a notice, no result: {Refusal(**run.request['refusal']).reason}"))
    if run.verdict:
        _add_verdict(tree, run.verdict)


def _add_findings(tree: Tree, findings: Mapping[str, Any]) -> None:
    probability, threshold = findings["probability"], findings["threshold"]
    tree.add(f"found: P = {probability:.3f}, operating point {threshold:.3f}")
    volume = findings["volume"]
    shape = " x ".join(str(length) for length in volume["shape"])
    branch = tree.add(f"volume sha256 {volume['sha256']}, {shape} (phases, slices, rows, columns)")
    branch.add(escape(findings["completeness"]))
    if volume["filled"]:
        cells = [f"phase {phase} of slice {slice_}" for phase, slice_ in volume["filled"]]
        _add_some(branch.add(f"{len(cells)} planes are interpolated in time"), cells)
    for sentence in dict.fromkeys((*volume["evidence"], *findings["remarks"])):
        branch.add(escape(sentence))


def _add_verdict(tree: Tree, verdict: Mapping[str, Any]) -> None:
    """Why the study counted as complete, or was given up."""
    branch = tree.add(
        escape(f"closed by the rule: {verdict['rule']}, confidence {verdict['confidence']:.2f}")
    )
    branch.add(escape(verdict["sentence"]))


def _add_model(tree: Tree, model: Mapping[str, Any]) -> None:
    branch = tree.add(escape(f"model {model.get('name', '')} {model.get('version', '')}"))
    branch.add(f"weights sha256 {model['weights_sha256']}")
    branch.add(f"preprocessing sha256 {model.get('preprocessing_sha256', '')}")


def _add_sources(tree: Tree, trace: Trace) -> None:
    sources = trace.sources
    used = sum(one.given.used for one in sources)
    held = sum(one.held for one in sources)
    branch = tree.add(
        f"made from {len(sources)} images, {used} of them in the volume; {held} lie in the archive now"
    )
    if trace.images_removed_at:
        branch.add(f"retention removed images on {_time(trace.images_removed_at)}")
    _add_some(branch, [f"{one.given.sop_instance_uid} sha256 {one.given.digest}" for one in sources])


def _add_deliveries(tree: Tree, deliveries: Iterable[Delivery]) -> None:
    branch = tree.add("deliveries")
    for one in deliveries:
        answer = "no answer" if one.status is None else f"0x{one.status:04X}"
        form = f" as {UID(one.sent_sop_class_uid).name} {one.sent_sop_instance_uid}" if one.sent_at else ""
        at = f" {_time(one.sent_at)}" if one.sent_at else ""
        branch.add(escape(f"{one.destination}: {one.state}{at}, {answer}{form} {one.comment}".rstrip()))
    if not branch.children:
        branch.add("none")


def objects_tree(title: str, objects: Iterable[OwnObject]) -> Tree:
    """Objects of ours by study and run, the report standing for what was made with it."""
    tree = Tree(f"[bold]{escape(title)}[/]")
    studies: dict[str, Tree] = {}
    for (uid, at), run in groupby(objects, key=lambda one: (one.study_instance_uid, one.result.made_at)):
        first, *others = (one.result for one in run)
        study = studies.get(uid) or studies.setdefault(uid, tree.add(f"study {escape(uid)}"))
        stands = "current" if first.current else f"superseded {_time(first.superseded_at)}"
        report = study.add(f"{first.kind} {first.sop_instance_uid}")
        report.add(f"made {_time(at)} with {len(others)} other objects, {stands}")
    return tree


def verification_tree(verification: Verification) -> Tree:
    """What a verification came to, the worst first within each part."""
    tree = Tree("[bold]verified: identical[/]" if verification.identical else "[bold red]not identical[/]")
    _add_checked(tree, "images", verification.sources)
    _add_checked(tree, "objects we made", verification.results)
    if verification.given is not None:
        same = not verification.given
        branch = tree.add(f"{_SIGNS[same]} the file given {'is' if same else 'is not'} the object we made")
        _add_differences(branch, verification.given)
    again = verification.repeat
    branch = tree.add(f"{_SIGNS[again.outcome == 'identical']} analysis repeated: {again.outcome}")
    if again.reason:
        branch.add(escape(again.reason))
    for one in again.objects:
        _add_differences(branch.add(f"{one.kind} {one.sop_instance_uid}"), one.differences)
    if verification.surroundings:
        _add_differences(tree.add("otherwise than then (recorded → now)"), verification.surroundings)
    return tree


def _add_checked(tree: Tree, what: str, checked: Checked) -> None:
    branch = tree.add(f"{_SIGNS[checked.intact]} {checked.count} {what}: {_tally(checked)}")
    _add_some(branch, [f"missing: {name}" for name in checked.missing], _SOME)
    _add_some(branch, [f"other bytes: {name}" for name in checked.changed], _SOME)


def _tally(checked: Checked) -> str:
    if checked.intact:
        return "digests as recorded"
    return f"{len(checked.missing)} missing, {len(checked.changed)} with other bytes"


def _add_differences(branch: Tree, differences: Iterable[Difference]) -> None:
    """Our UIDs last: they follow from everything else."""
    ordered = sorted(differences, key=lambda one: one.is_identifier)
    _add_some(branch, [f"{one.path}: {one.recorded} → {one.found}" for one in ordered], _SOME)


def _add_some(branch: Tree, lines: list[str], limit: int = _FEW) -> None:
    for line in lines[:limit]:
        branch.add(escape(line))
    if len(lines) > limit:
        branch.add(f"and {len(lines) - limit} more; --json lists all")


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(one)}" for name, one in value.items())
    return "not set" if value is None else str(value)


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else "unknown"
