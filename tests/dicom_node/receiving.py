"""A receiver to send to, and objects to send: whole ones, and ones no library would write."""

import hashlib
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from pynetdicom import AE, _config, build_context
from pynetdicom.association import Association

from dicom_node.archive import Archive
from dicom_node.archive.part10 import Origin, part10_head
from dicom_node.config_sections import ReceiveSettings, TlsSettings
from dicom_node.receiver.process import ReceiverProcess

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
WAIT_S = 30.0


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    """One element in Explicit VR Little Endian; the value is padded, and may be longer than any VR allows."""
    value += b"\0" * (len(value) % 2)
    if vr in (b"OB", b"OW", b"SQ", b"UN", b"UT"):
        return struct.pack("<HH2sHL", group, number, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


@dataclass(frozen=True)
class Sent:
    """An object as bytes, and what its command says about it."""

    study: str = "1.2.3"
    instance: str = "1.2.3.4"
    sop_class: str = MR_IMAGE
    syntax: UID = ExplicitVRLittleEndian
    body: bytes | None = None
    extra: bytes = b""
    pixels: bytes = bytes(64)

    @property
    def dataset(self) -> bytes:
        if self.body is not None:
            return self.body
        return b"".join(
            (
                element(0x0008, 0x0016, b"UI", self.sop_class.encode()),
                element(0x0008, 0x0018, b"UI", self.instance.encode()),
                self.extra,
                element(0x0020, 0x000D, b"UI", self.study.encode()),
                element(0x7FE0, 0x0010, b"OW", self.pixels),
            )
        )

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.dataset).hexdigest()

    def saying(self, **announced: Any) -> "Sent":
        """The same bytes, with another story in the command."""
        return replace(self, body=self.dataset, **announced)


class Receiver:
    """A running receiver and its archive."""

    def __init__(self, process: ReceiverProcess, root: Path) -> None:
        self.process = process
        self.archive = Archive(root, 0)

    @property
    def port(self) -> int:
        return self.process.port

    def event(self, name: str, **facts: object) -> dict[str, Any]:
        """The next event of this name and these facts; others before it are passed over."""
        while True:
            event = self.process.events.get(timeout=WAIT_S)
            if event["event"] == name and facts.items() <= event.items():
                return event

    def kept(self, study: str) -> list[bytes]:
        """The data sets that lie in the archive for a study, sorted."""
        paths = (self.archive.open(path) for path in self.archive.study_paths(study))
        return sorted(data_set_of(path) for path in paths if path.suffix == ".dcm")


@contextmanager
def receiver(root: Path, identity: TlsSettings | None = None, **settings: Any) -> Iterator[Receiver]:
    """A receiver on a free port; `settings` are those of `receive` in config.yaml, `identity` its `tls`."""
    values = {"port": 0, "disk_reserve_mb": 0, "journal_mb": 4, **settings}
    with ReceiverProcess(ReceiveSettings(**values), root, identity) as process:
        yield Receiver(process, root)


def data_set_of(path: Path) -> bytes:
    """The bytes behind the file meta information, found without a DICOM library."""
    raw = path.read_bytes()
    assert raw[128:132] == b"DICM"
    (length,) = struct.unpack("<L", raw[140:144])
    return raw[144 + length :]


@contextmanager
def association(
    port: int, *objects: Sent, called: str = "DICOMNODE", calling: str = "SENDER"
) -> Iterator[Association]:
    """An association that can carry `objects`."""
    ae = AE(calling)
    wanted = {(item.sop_class, item.syntax) for item in objects}
    contexts = [build_context(sop_class, syntax) for sop_class, syntax in sorted(wanted)]
    opened = ae.associate("127.0.0.1", port, contexts, ae_title=called)
    assert opened.is_established
    try:
        yield opened
    finally:
        if opened.is_established:
            opened.release()


def store(opened: Association, item: Sent, folder: Path) -> Dataset:
    """Send the object's bytes untouched; the response."""
    path = folder / f"{item.digest[:16]}.dcm"
    head = part10_head(Origin(item.sop_class, item.instance, item.syntax, ""))
    path.write_bytes(head + item.dataset)
    whole, _config.STORE_SEND_CHUNKED_DATASET = _config.STORE_SEND_CHUNKED_DATASET, True
    try:
        return opened.send_c_store(path)
    finally:
        _config.STORE_SEND_CHUNKED_DATASET = whole


def send(port: int, item: Sent, folder: Path, **titles: str) -> Dataset:
    """Send one object on an association of its own; the response."""
    with association(port, item, **titles) as opened:
        return store(opened, item, folder)
