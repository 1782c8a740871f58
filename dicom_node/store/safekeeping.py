"""What the index knows of the instances that a caller asks about."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from sqlalchemy import Engine, select

from dicom_node.store.engine import transaction
from dicom_node.store.images import chunks
from dicom_node.store.schema import instances


@dataclass(frozen=True, slots=True)
class Copy:
    """One file that came under a SOP Instance UID.

    `kept` is False for a note on what was discarded, and for what retention removed or the disk lost; `note`
    tells the first of these from the others. `digest` is the SHA-256 of the data set as it was received.
    """

    path: str
    digest: str
    sop_class_uid: str
    kept: bool

    @property
    def note(self) -> bool:
        """Whether its bytes were never kept."""
        return self.path.endswith(".note")


@final
class Safekeeping:
    """A further face of the store's database. Thread-safe; every method may raise StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def copies(self, sop_instance_uids: Iterable[str]) -> dict[str, list[Copy]]:
        """What came under each UID and counts: of several contents in one study, the one that came last."""
        found: dict[str, list[Copy]] = {}
        columns = [getattr(instances.c, name) for name in ("path", "digest", "sop_class_uid")]
        here = instances.c.kept & instances.c.removed_at.is_(None) & instances.c.missing_since.is_(None)
        with transaction(self._engine, writes=False) as connection:
            for some in chunks(sop_instance_uids):
                query = select(instances.c.sop_instance_uid, *columns, here.label("here"))
                wanted = query.where(instances.c.sop_instance_uid.in_(some), instances.c.current)
                for row in connection.execute(wanted.order_by(instances.c.path)):
                    copy = Copy(row.path, row.digest, row.sop_class_uid, bool(row.here))
                    found.setdefault(row.sop_instance_uid, []).append(copy)
        return found
