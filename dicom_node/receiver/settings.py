"""What the receiver process is told by the node: one line of JSON, so that it needs no configuration code."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from dicom_node.tls import TlsFiles


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone who may send, from `address` only ("": any), and only so much (0: no limit of its own)."""

    ae_title: str
    address: str = ""
    max_associations: int = 0
    max_object_bytes: int = 0
    max_objects_per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """Everything the receiver may depend on. `callers` empty: anyone.

    `tls` is "off", "server" or "mutual"; its files are PEM.
    """

    archive: str
    requests: str
    reserve_bytes: int
    ae_title: str
    host: str
    port: int
    require_called_ae: bool
    callers: tuple[Caller, ...]
    max_associations: int
    max_object_bytes: int
    journal_bytes: int
    idle_timeout_s: float
    discard: bool
    tls: str = "off"
    certificate: str = ""
    key: str = ""
    authorities: str = ""
    confined: bool = True

    @property
    def archive_root(self) -> Path:
        """The archive's folder."""
        return Path(self.archive)

    @property
    def requests_root(self) -> Path:
        """Where requests for commitment lie, beside the archive."""
        return Path(self.requests)

    @property
    def tls_files(self) -> TlsFiles:
        """Certificate, key and authorities."""
        return TlsFiles(
            *(Path(path) if path else None for path in (self.certificate, self.key, self.authorities))
        )

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_json(cls, line: str | bytes) -> Self:
        """The inverse of `as_json`.

        Raises:
            ValueError: not JSON.
            TypeError: a key is missing, or unknown.
        """
        values = json.loads(line)
        values["callers"] = tuple(Caller(**caller) for caller in values["callers"])
        return cls(**values)
