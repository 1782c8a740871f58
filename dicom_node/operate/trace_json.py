"""Traces as plain values under stable names, for scripts; docs/operating.md explains the names."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from dicom_node.operate.trace import Trace
from dicom_node.store.records import Delivery, Result
from dicom_node.store.run_records import OwnObject, Run, RunInput


def trace_as_dict(trace: Trace) -> dict[str, Any]:
    """One result and its origin. What was not recorded is null, and `not_recorded` says why."""
    return {
        "object": object_as_dict(trace.own),
        "sent_as": trace.own.sent_sop_class_uid,
        **(_run_parts(trace.run) if trace.run else dict.fromkeys(_OF_A_RUN)),
        "model": dict(trace.model),
        "sources": [_input(one.given) | {"held": one.held} for one in trace.sources],
        "deliveries": [_delivery(one) for one in trace.deliveries],
        "made_together": [_brief(one) for one in trace.together],
        "supersedes": _brief(trace.before) if trace.before else None,
        "superseded_by": _brief(trace.after) if trace.after else None,
        "images_removed_at": trace.images_removed_at.isoformat() if trace.images_removed_at else None,
        "not_recorded": trace.not_recorded,
    }


def object_as_dict(own: OwnObject) -> dict[str, Any]:
    """One object of ours."""
    result = own.result
    return {
        "study_instance_uid": own.study_instance_uid,
        "series_instance_uid": result.series_instance_uid,
        **_brief(result),
        "path": result.path,
        "sha256": result.digest,
        "weights_sha256": result.weights_sha256,
        "made_at": result.made_at.isoformat(),
        "current": result.current,
        "superseded_at": result.superseded_at.isoformat() if result.superseded_at else None,
    }


def objects_from_instance(found: Iterable[tuple[OwnObject, RunInput]]) -> list[dict[str, Any]]:
    """Objects made from one image, each with the file of it that the run was given."""
    return [object_as_dict(own) | {"source": _input(given)} for own, given in found]


_OF_A_RUN = ("run", "times", "installation", "configuration", "findings", "volume", "verdict")

_OF_RUN = ("id", "generation", "attempt", "seconds", "peak_rss_mb", "inputs_key")


def _run_parts(run: Run) -> dict[str, Any]:
    findings = dict(run.findings)
    volume = findings.pop("volume", None)
    times = {
        "received_first": run.received_first_at,
        "received_last": run.received_last_at,
        "claimed": run.claimed_at,
        "recorded": run.recorded_at,
    }
    return {
        "run": {
            **{name: getattr(run, name) for name in _OF_RUN},
            "request": dict(run.request),
        },
        "times": {name: at.isoformat() if at else None for name, at in times.items()},
        "installation": dict(run.installation),
        "configuration": {"sha256": run.request.get("config_sha256", ""), "values": dict(run.config)},
        "findings": findings,
        "volume": volume,
        "verdict": dict(run.verdict),
    }


def _brief(result: Result) -> dict[str, str]:
    return {name: getattr(result, name) for name in ("kind", "sop_class_uid", "sop_instance_uid")}


def _input(given: RunInput) -> dict[str, Any]:
    values = asdict(given)
    return values | {"sha256": values.pop("digest")}


def _delivery(one: Delivery) -> dict[str, Any]:
    names = ("destination", "attempts", "status", "comment", "sent_sop_class_uid", "sent_sop_instance_uid")
    return {
        **{name: getattr(one, name) for name in names},
        "state": str(one.state),
        "sent_at": one.sent_at.isoformat() if one.sent_at else None,
    }
