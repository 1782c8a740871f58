"""Which objects of a study go out again, and to whom: `dicom-node resend`."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from dicom_node.routing import Routes
from dicom_node.store import Store
from dicom_node.store.records import DeliveryState, Result

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_KEY_OBJECTS = f"{_STORAGE}88.59"


class Only(StrEnum):
    """A part of a study's objects."""

    SR = "sr"
    """Structured reports of every kind."""
    SC = "sc"
    """Secondary captures, with one frame or many."""


@dataclass(frozen=True, slots=True)
class Resent:
    """One object for one destination: `waits` if it was on its way already."""

    result_id: int
    kind: str
    sop_instance_uid: str
    destination: str
    waits: bool

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return asdict(self)


def plan(store: Store, study_uid: str, routes: Routes, only: Only | None) -> list[Resent]:
    """What would go out: every current object of the kind, wherever it was owed or would go today."""
    owed = {(one.result_id, one.destination): one.state for one in store.deliveries(study_uid) if one.current}
    return [
        Resent(one.id, one.kind, one.sop_instance_uid, route.name, waits)
        for one, model in _current(store, study_uid)
        if only is None or only is _part(one.sop_class_uid)
        for route in routes.all
        if (one.id, route.name) in owed or route.takes(one.kind, model)
        for waits in [owed.get((one.id, route.name)) is DeliveryState.PENDING]
    ]


def _current(store: Store, study_uid: str) -> Iterator[tuple[Result, str]]:
    """Each result that stands, and the name of the model that made it; empty for a notice."""
    for one in store.current_results(study_uid):
        known = store.lineage.models(one.weights_sha256) if one.weights_sha256 else {}
        yield one, str(known.get(one.weights_sha256, {}).get("name", ""))


def carry_out(store: Store, study_uid: str, planned: Sequence[Resent], at: datetime) -> int:
    """Queue them; how many were not waiting already. Twice does no harm.

    Raises:
        NotNow: the study is being read, is withheld, or has failed.
    """
    pairs = [(one.result_id, one.destination) for one in planned]
    return store.proofs.resend(study_uid, pairs, at, "sent again by hand")


def _part(sop_class_uid: str) -> Only | None:
    if sop_class_uid == f"{_STORAGE}7" or sop_class_uid.startswith(f"{_STORAGE}7."):
        return Only.SC
    report = sop_class_uid.startswith(f"{_STORAGE}88.") and sop_class_uid != _KEY_OBJECTS
    return Only.SR if report else None
