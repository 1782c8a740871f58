"""What is known of studies from elsewhere, such as a reading of late enhancement: who said what, and when.

An answer that is corrected stays, with the moment from which on it no longer stood.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import final

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from dicom_node.errors import NotNow
from dicom_node.store.engine import transaction
from dicom_node.store.images import chunks
from dicom_node.store.schema import labels, studies

_CHANGED = "the labels were changed by somebody else meanwhile; import again"


@dataclass(frozen=True, slots=True)
class NewLabel:
    """One answer about one study.

    Attributes:
        study: Study Instance UID.
        label: what was asked, a column's name: Scar, WMA.
        answer: True for yes.
        source: who or what says so, for example "LGE read".
        read_on: the day it was said.
    """

    study: str
    label: str
    answer: bool
    source: str
    read_on: date


@dataclass(frozen=True, slots=True)
class StoredLabel:
    """An answer as it is kept; `superseded_at` is when another took its place, None where it stands."""

    id: int
    study: str
    patient: str
    label: str
    answer: bool
    source: str
    read_on: date
    imported_at: datetime
    imported_by: str
    superseded_at: datetime | None


@final
class Labels:
    """A further face of the store's database. Thread-safe; every method may raise StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def patients(self, study_uids: Iterable[str]) -> dict[str, str]:
        """Study Instance UID to Patient ID (maybe empty), of those of the studies that are known."""
        query = select(studies.c.study_instance_uid, studies.c.patient_id)
        found: dict[str, str] = {}
        with transaction(self._engine, writes=False) as connection:
            for some in chunks(study_uids):
                rows = connection.execute(query.where(studies.c.study_instance_uid.in_(some)))
                found.update((row.study_instance_uid, row.patient_id) for row in rows)
        return found

    def standing(self) -> list[StoredLabel]:
        """Every answer that stands, by study and label."""
        return self._found(history=False)

    def history(self) -> list[StoredLabel]:
        """Those that were superseded too, each before what took its place."""
        return self._found(history=True)

    def change(
        self, added: Sequence[NewLabel], superseded: Sequence[StoredLabel], at: datetime, who: str
    ) -> None:
        """End what is superseded and write what is added: all of it, or nothing.

        Raises:
            NotNow: an answer that is superseded does not stand any more, or one that is added stands already.
        """
        try:
            with transaction(self._engine, writes=True) as connection:
                if _end(connection, [one.id for one in superseded], at) != len(superseded):
                    raise NotNow(_CHANGED)
                if added:
                    connection.execute(insert(labels), [_row(one, at, who) for one in added])
        except IntegrityError as error:
            raise NotNow(_CHANGED) from error

    def _found(self, *, history: bool) -> list[StoredLabel]:
        query = (
            select(labels, studies.c.patient_id)
            .join(studies, studies.c.study_instance_uid == labels.c.study_instance_uid)
            .order_by(labels.c.study_instance_uid, labels.c.label, labels.c.id)
        )
        if not history:
            query = query.where(labels.c.superseded_at.is_(None))
        with transaction(self._engine, writes=False) as connection:
            return [
                StoredLabel(
                    row.id,
                    row.study_instance_uid,
                    row.patient_id,
                    row.label,
                    row.answer,
                    row.source,
                    row.read_on,
                    row.imported_at,
                    row.imported_by,
                    row.superseded_at,
                )
                for row in connection.execute(query)
            ]


def _end(connection: Connection, ids: Sequence[int], at: datetime) -> int:
    standing = labels.c.superseded_at.is_(None)
    return sum(
        connection.execute(
            update(labels).where(labels.c.id == one, standing).values(superseded_at=at)
        ).rowcount
        for one in ids
    )


def _row(label: NewLabel, at: datetime, who: str) -> dict[str, object]:
    return {
        "study_instance_uid": label.study,
        "label": label.label,
        "answer": label.answer,
        "source": label.source,
        "read_on": label.read_on,
        "imported_at": at,
        "imported_by": who,
    }
