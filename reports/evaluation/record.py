"""A judgement for programs: plain values that JSON can hold, no identities."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from models.evaluation.bootstrap import Estimate
from models.evaluation.groups import TOO_FEW
from models.evaluation.judgement import Judgement
from reports.evaluation.subject import Subject


def record(judgement: Judgement, subject: Subject) -> dict[str, Any]:
    """All that the page says of one network."""
    scored = judgement.scored
    return {
        "model": asdict(subject.model),
        "warning": subject.warning,
        "data": subject.data,
        "simulated": subject.simulated,
        "label": scored.label_name,
        "threshold": scored.threshold,
        "threshold_rule": subject.threshold_rule,
        "studies": len(scored),
        "patients": scored.patient_count,
        "positives": int(scored.label.sum()),
        "resampling": asdict(judgement.resampling),
        "figures": plain(judgement.figures),
        "confusion": asdict(judgement.confusion),
        "calibration": [
            {"predicted": one.predicted, "observed": one.observed.as_dict(), "studies": one.studies}
            for one in judgement.calibration
        ],
        "baselines": {
            name: {"figures": plain(one.figures), "network_minus_this": plain(one.behind.differences)}
            for name, one in judgement.baselines.items()
        },
        **_groups(judgement),
    }


def plain(figures: Mapping[str, Estimate]) -> dict[str, dict[str, float | int | None]]:
    """Figures by name."""
    return {name: one.as_dict() for name, one in figures.items()}


def _groups(judgement: Judgement) -> dict[str, Any]:
    groups = [
        {
            "of": one.of,
            "group": one.name,
            "studies": one.studies,
            "patients": one.patients,
            "positives": one.positives,
            "figures": plain(one.figures) if one.conclusive else TOO_FEW,
        }
        for one in judgement.groups
    ]
    gaps = [
        {
            "of": one.of,
            "figure": one.figure,
            "best": one.best,
            "worst": one.worst,
            "gap": one.difference.as_dict(),
        }
        for one in judgement.gaps
    ]
    return {"groups": groups, "gaps": gaps}
