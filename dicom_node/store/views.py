"""Summaries for people. Runs in the caller's transaction."""

from typing import Any

from sqlalchemy import Connection, Label, func, select
from sqlalchemy import case as when

from dicom_node.store.records import SeriesSummary
from dicom_node.store.schema import instances, series

_NAMES = (series.c.modality, series.c.series_number, series.c.series_description)


def series_of(connection: Connection, study_uid: str) -> list[SeriesSummary]:
    """The study's series, by number."""
    reasons = _reasons(connection, study_uid)
    query = (
        select(instances.c.series_instance_uid, *_NAMES, *_sums())
        .outerjoin(
            series,
            (series.c.study_instance_uid == instances.c.study_instance_uid)
            & (series.c.series_instance_uid == instances.c.series_instance_uid),
        )
        .where(instances.c.study_instance_uid == study_uid)
        .group_by(instances.c.series_instance_uid, *_NAMES)
        .order_by(series.c.series_number, instances.c.series_instance_uid)
    )
    return [
        SeriesSummary(
            series_instance_uid=row.series_instance_uid or "",
            modality=row.modality or "",
            series_number=row.series_number,
            series_description=row.series_description or "",
            images=row.images,
            discarded=row.discarded,
            replaced=row.replaced,
            missing=row.missing,
            removed=row.removed,
            unusable=tuple(reasons.get(row.series_instance_uid, ())),
        )
        for row in connection.execute(query)
    ]


def _sums() -> tuple[Label[Any], ...]:
    removed = instances.c.removed_at.is_not(None)
    here = instances.c.missing_since.is_(None) & ~removed
    groups = {
        "images": instances.c.kept & instances.c.current,
        "discarded": ~instances.c.kept & here,
        "replaced": instances.c.kept & ~instances.c.current,
        "missing": ~here & ~removed,
        "removed": removed,
    }
    return tuple(func.sum(when((group, 1), else_=0)).label(name) for name, group in groups.items())


def _reasons(connection: Connection, study_uid: str) -> dict[str | None, list[str]]:
    query = (
        select(instances.c.series_instance_uid, instances.c.unusable)
        .where(instances.c.study_instance_uid == study_uid, instances.c.unusable != "")
        .distinct()
        .order_by(instances.c.unusable)
    )
    reasons: dict[str | None, list[str]] = {}
    for row in connection.execute(query):
        reasons.setdefault(row.series_instance_uid, []).append(row.unusable)
    return reasons
