"""Job events go into the audit log, a moment after they happened, and are compared with it later."""

from collections.abc import Iterator
from datetime import datetime
from typing import final

from dicom_node.audit_log import Act, AuditLog, Broken, Entry
from dicom_node.log import logger
from dicom_node.store import Store
from dicom_node.store.keeping_records import NumberedEvent

log = logger(__name__)

JOB = "job"
OLDER = "database-older"
_MOST_AT_ONCE = 1000


@final
class Sealer:
    """Copies what is new in the jobs' history into the audit log. No transaction of the jobs waits for it."""

    def __init__(self, store: Store, audit: AuditLog) -> None:
        self._store = store
        self._audit = audit

    def tick(self, at: datetime) -> int:
        """Seal the events that are not sealed yet; how many.

        Raises:
            StoreUnavailable, AuditUnwritable: the rest is sealed at the next call.
        """
        sealed = self._audit.last().event
        newest = self._store.keeping.last_event()
        if newest < sealed:
            log.warning("database-older-than-audit-log", last_event=newest, sealed=sealed)
            found = (
                f"its history ends with event {newest}, the log knows of {sealed}: restored from a backup?"
            )
            sealed = self._audit.append([Act(at, OLDER, detail=found, event=newest)]).event
        done = 0
        while batch := self._store.keeping.events_after(sealed, _MOST_AT_ONCE):
            self._audit.append([act_of(one) for one in batch])
            done, sealed = done + len(batch), batch[-1].id
        return done


def act_of(event: NumberedEvent) -> Act:
    """A job event as the log holds it."""
    arrow = (
        event.to_state if event.from_state == event.to_state else f"{event.from_state} to {event.to_state}"
    )
    detail = f"{event.actor}: {arrow}: {event.reason}"
    return Act(event.at, JOB, event.study_instance_uid, detail, event=event.id)


def first_broken(store: Store, audit: AuditLog) -> tuple[Entry | None, Broken | None]:
    """The last good entry, and the first that is not as it was written or not as the database has it.

    Events from before a backup was restored are compared no longer: the database has others in their place.
    """
    last: Entry | None = None
    sealed: dict[int, Entry] = {}
    for one in audit.entries():
        if isinstance(one, Broken):
            return last, one
        last = one
        if one.what == OLDER:
            sealed = {number: entry for number, entry in sealed.items() if number <= one.event}
        elif one.what == JOB:
            sealed[one.event] = one
    return last, next(_altered(store, sealed), None)


def _altered(store: Store, sealed: dict[int, Entry]) -> Iterator[Broken]:
    told, after = "the database tells this event of the jobs' history otherwise", 0
    while batch := store.keeping.events_after(after, _MOST_AT_ONCE):
        for event in batch:
            entry, act = sealed.pop(event.id, None), act_of(event)
            if entry is not None and (entry.at, entry.subject, entry.detail) != (
                act.at.isoformat(),
                act.subject,
                act.detail,
            ):
                yield Broken(entry.number, told)
        after = batch[-1].id
    for entry in sealed.values():
        yield Broken(entry.number, "the database has lost this event of the jobs' history")
