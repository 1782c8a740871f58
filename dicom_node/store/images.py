"""Rows of files: every statement runs in the caller's transaction."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Select, and_, bindparam, func, select, update

from dicom_node.store import jobs as store_jobs
from dicom_node.store.engine import insert_missing, upsert
from dicom_node.store.folders import lies_in
from dicom_node.store.records import NewInstance
from dicom_node.store.run_records import HeldInstance
from dicom_node.store.schema import instances, series, studies
from dicom_node.store.tally import recount

INDEX = "index"
_SERIES = {"modality", "series_number", "series_description"}
_OF_INSTANCE = {field.name for field in fields(NewInstance)} - _SERIES - {"patient_id"}
_CHUNK = 500  # SQLite takes a limited number of parameters
_HERE = instances.c.missing_since.is_(None) & instances.c.removed_at.is_(None)

# What is asked for every batch is built once: building these takes longer than asking.
_KNOWN = select(instances.c.path).where(instances.c.path.in_(bindparam("paths", expanding=True)), _HERE)
_OF_UIDS = and_(
    instances.c.study_instance_uid == bindparam("study"),
    instances.c.sop_instance_uid.in_(bindparam("uids", expanding=True)),
    instances.c.kept,
    _HERE,
)
_HELD_TWICE = (
    select(instances.c.sop_instance_uid)
    .where(_OF_UIDS)
    .group_by(instances.c.sop_instance_uid)
    .having(func.count() > 1)
)
_VERSIONS = (
    select(instances.c.id, instances.c.sop_instance_uid)
    .where(_OF_UIDS)
    .order_by(instances.c.received_at, instances.c.id)
)

T = TypeVar("T")


def add(connection: Connection, batch: Sequence[NewInstance], at: datetime) -> tuple[str, ...]:
    """File what is new, oldest first, and (re)open its studies; returns the studies opened."""
    fresh = _fresh(connection, batch)
    if not fresh:
        return ()
    insert_missing(connection, studies, _study_rows(fresh, at))
    insert_missing(connection, series, _series_rows(fresh))
    upsert(connection, instances, [_instance_row(one) for one in fresh], ["path"])
    opened = dict.fromkeys(one.study_instance_uid for one in fresh if one.kept and one.study_instance_uid)
    for study_uid in opened:
        store_jobs.reopen(connection, study_uid, at)
        uids = {one.sop_instance_uid for one in fresh if one.study_instance_uid == study_uid and one.kept}
        _choose_current(connection, study_uid, uids - {""}, at)
    recount(connection, {one.study_instance_uid for one in fresh} - {""})
    return tuple(opened)


def _fresh(connection: Connection, batch: Sequence[NewInstance]) -> list[NewInstance]:
    """Files without a row, or whose file had gone or was removed, and is back."""
    by_path = {one.path: one for one in batch}
    known: set[str] = set()
    for paths in chunks(by_path):
        known.update(connection.execute(_KNOWN, {"paths": paths}).scalars())
    fresh = [one for path, one in by_path.items() if path not in known]
    return sorted(fresh, key=lambda one: one.received_at)


def _study_rows(fresh: Sequence[NewInstance], at: datetime) -> list[dict[str, Any]]:
    """Each study once: its first image says whose it is."""
    first = {one.study_instance_uid: one.patient_id for one in reversed(fresh)}
    first.pop("", None)
    return [
        {"study_instance_uid": study_uid, "patient_id": patient_id, "first_seen_at": at}
        for study_uid, patient_id in first.items()
    ]


def _series_rows(fresh: Sequence[NewInstance]) -> list[dict[str, Any]]:
    """Each series once, as its first image describes it."""
    first = {(one.study_instance_uid, one.series_instance_uid): one for one in reversed(fresh)}
    return [
        {"study_instance_uid": study_uid, "series_instance_uid": series_uid}
        | {name: getattr(one, name) for name in _SERIES}
        for (study_uid, series_uid), one in first.items()
        if series_uid
    ]


def _instance_row(one: NewInstance) -> dict[str, Any]:
    row = {name: getattr(one, name) for name in _OF_INSTANCE}
    row["study_instance_uid"] = one.study_instance_uid or None
    row["series_instance_uid"] = one.series_instance_uid or None
    return row | {"current": True, "missing_since": None, "removed_at": None}


def _choose_current(connection: Connection, study_uid: str, uids: set[str], at: datetime) -> None:
    """Of several files with one SOP Instance UID the one written last counts."""
    versions: dict[str, list[int]] = {}
    for some in chunks(_held_twice(connection, study_uid, uids)):
        for row in connection.execute(_VERSIONS, {"study": study_uid, "uids": some}):
            versions.setdefault(row.sop_instance_uid, []).append(row.id)
    for uid, ids in versions.items():
        older = update(instances).where(instances.c.id.in_(ids[:-1])).values(current=False)
        connection.execute(older)
        connection.execute(update(instances).where(instances.c.id == ids[-1]).values(current=True))
        reason = f"instance {uid} replaced: other bytes under the same UID"
        store_jobs.note(connection, study_uid, store_jobs.Move(at, reason, store_jobs.RECEIVER))


def _held_twice(connection: Connection, study_uid: str, uids: Iterable[str]) -> Iterator[str]:
    for some in chunks(uids):
        yield from connection.execute(_HELD_TWICE, {"study": study_uid, "uids": some}).scalars()


def known_paths(connection: Connection) -> set[str]:
    """Every file that has a row and is not marked missing; what is being removed is still known."""
    query = select(instances.c.path).where(instances.c.missing_since.is_(None))
    return set(connection.execute(query).scalars())


def mark_missing(connection: Connection, paths: Iterable[str], at: datetime) -> None:
    """Rows whose files are gone: no longer kept, and their studies' histories say so."""
    lost: dict[str, int] = {}
    for some in chunks(set(paths)):
        here = instances.c.path.in_(some) & _HERE
        query = select(instances.c.study_instance_uid, func.count()).where(here)
        for study_uid, count in connection.execute(query.group_by(instances.c.study_instance_uid)):
            if study_uid is not None:
                lost[study_uid] = lost.get(study_uid, 0) + count
        gone = {"kept": False, "missing_since": at, "unusable": "its file is missing from the archive"}
        connection.execute(update(instances).where(here).values(**gone))
    for study_uid, count in lost.items():
        reason = f"{count} file(s) of the study are missing from the archive"
        store_jobs.note(connection, study_uid, store_jobs.Move(at, reason, INDEX))
    recount(connection, lost)


def study_of_folder(connection: Connection, folder: str) -> str:
    """The study whose files lie in `folder` (relative to the archive's root); empty if none is known."""
    query = (
        select(instances.c.study_instance_uid)
        .where(lies_in(connection, folder))
        .where(instances.c.study_instance_uid.is_not(None))
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none() or ""


def facts(connection: Connection, study_uid: str) -> list[Any]:
    """`InstanceFacts.as_json()` of each file that counts, by path."""
    return list(connection.execute(_usable(study_uid, instances.c.facts)).scalars())


def digests(connection: Connection, study_uid: str) -> dict[str, str]:
    """SOP Instance UID → SHA-256 of the same files; their headers are not looked at."""
    rows = connection.execute(_usable(study_uid, instances.c.sop_instance_uid, instances.c.digest))
    return {row.sop_instance_uid: row.digest for row in rows}


def held(connection: Connection, study_uid: str) -> list[HeldInstance]:
    """The same files, with what a run remembers of each."""
    from pipeline import InstanceFacts  # as in `Store.facts`

    columns = [getattr(instances.c, one.name) for one in fields(HeldInstance)]
    rows = connection.execute(_usable(study_uid, *columns))
    return [
        HeldInstance(**dict(row._mapping) | {"facts": InstanceFacts.from_json(row.facts)}) for row in rows
    ]


def _usable(study_uid: str, *columns: Column[Any]) -> Select[Any]:
    return (
        select(*columns)
        .where(instances.c.study_instance_uid == study_uid)
        .where(instances.c.current, instances.c.kept, instances.c.facts.is_not(None))
        .order_by(instances.c.path)
    )


def unusable(connection: Connection, study_uid: str) -> list[str]:
    """Why files of the study cannot be analysed: one sentence each."""
    query = (
        select(instances.c.unusable)
        .where(instances.c.study_instance_uid == study_uid, instances.c.unusable != "")
        .where(instances.c.facts.is_(None), instances.c.kept)
        .order_by(instances.c.path)
    )
    return list(connection.execute(query).scalars())


def chunks(items: Iterable[T]) -> Iterator[list[T]]:
    """Pieces small enough for one statement."""
    whole = list(items)
    for start in range(0, len(whole), _CHUNK):
        yield whole[start : start + _CHUNK]
