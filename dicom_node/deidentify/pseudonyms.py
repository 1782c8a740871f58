"""Other names for UIDs, patients and days, which only the holder of the key can connect with the old ones."""

import hmac
import re
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from pydicom.uid import UID

_REGISTERED = "1.2.840.10008."
_MOST_DAYS = 3650
_DAY = re.compile(r"(\d{4})[.]?(\d{2})[.]?(\d{2})", re.ASCII)
_MOMENT = re.compile(r"(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?(?:[+-]\d{4})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The pseudonyms under one key for one patient.

    Equal keys give equal pseudonyms, so that objects that refer to each other still do, and so that the
    studies of one patient stay together, whenever they are exported. Without the key an old name cannot be
    tried out.

    Attributes:
        key: the secret; see `key.research_key`.
        subject: who the patient is, in whatever form; never written.
    """

    key: bytes
    subject: str

    def uid(self, old: str) -> str:
        """Another UID of the form 2.25 (PS3.5 B.2); what the standard itself registers stays as it is."""
        if old.startswith(_REGISTERED) and UID(old).name != old:
            return old
        return f"2.25.{UUID(bytes=self._digest('uid', old)[:16], version=4).int}"

    @property
    def patient(self) -> str:
        """What stands for name and ID."""
        return f"SUBJECT-{self._digest('patient', self.subject)[:6].hex().upper()}"

    def day(self, old: str) -> str:
        """The value of a date (DA), earlier by the patient's own number of days; empty if it is none."""
        found = _DAY.fullmatch(old)
        if found is None:
            return ""
        try:
            return f"{date(*map(int, found.groups())) - timedelta(self._days):%Y%m%d}"
        except (ValueError, OverflowError):
            return ""

    def moment(self, old: str) -> str:
        """The same of a date with a time (DT). The zone, which names a region, goes."""
        found = _MOMENT.fullmatch(old)
        day = self.day(found[1]) if found else ""
        return f"{day}{found[2] or ''}" if found and day else ""

    @property
    def _days(self) -> int:
        return 1 + int.from_bytes(self._digest("days", self.subject)[:8]) % _MOST_DAYS

    def _digest(self, kind: str, name: str) -> bytes:
        return hmac.digest(self.key, f"{kind}\0{name}".encode("utf-8", "surrogateescape"), "sha256")
