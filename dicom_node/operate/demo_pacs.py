"""A storage SCP that keeps what it gets in a folder: the PACS of `dicom-node demo`."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
from pynetdicom.transport import ThreadedAssociationServer

AE_TITLE = "DEMOPACS"


@dataclass(slots=True)
class FolderPacs:
    """Listens on a free loopback port between `start` and `stop`; `paths` grows as objects arrive."""

    folder: Path
    paths: list[Path] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)
    _server: ThreadedAssociationServer | None = None

    def start(self) -> int:
        """Begin to listen; the port is returned."""
        self.folder.mkdir(parents=True, exist_ok=True)
        ae = AE(ae_title=AE_TITLE)
        ae.supported_contexts = AllStoragePresentationContexts
        ae.add_supported_context(Verification)
        server = ae.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, self._on_store)]
        )
        assert isinstance(server, ThreadedAssociationServer)
        self._server = server
        return int(server.server_address[1])

    def stop(self) -> None:
        """Stop listening; what arrived stays in the folder."""
        if self._server is not None:
            self._server.shutdown()

    def datasets(self) -> list[Dataset]:
        """Everything that arrived, in order of arrival."""
        return [dcmread(path) for path in self.paths]

    def _on_store(self, event: evt.Event) -> int:
        with self.arrived:
            path = self.folder / f"{len(self.paths) + 1:03d}.dcm"
            path.write_bytes(event.encoded_dataset())
            self.paths.append(path)
            self.arrived.notify_all()
        return 0x0000
