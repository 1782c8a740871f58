"""A storage SCP that answers as it is told, on a free loopback port."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import BaseServer

from pydicom import Dataset, FileDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, SecondaryCaptureImageStorage
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification

from dicom_node import config_sections
from dicom_node.delivery.destination import Pacs
from dicom_node.delivery.storage_scu import ResultObject
from reports import SR_CLASSES

ALL = (*SR_CLASSES, SecondaryCaptureImageStorage, Verification)
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
Answer = Callable[[evt.Event], int | Dataset]


@dataclass
class Scp:
    """What it took, and how it is reached."""

    port: int = 0
    taken: list[Dataset] = field(default_factory=list)
    associations: int = 0
    proposed: list[set[str]] = field(default_factory=list)
    proof: str = "none"

    @property
    def settings(self) -> config_sections.Destination:
        place = {"name": "pacs", "host": "127.0.0.1", "port": self.port, "ae_title": "PACS"}
        return config_sections.Destination.model_validate(place | {"proof": self.proof})

    def pacs(self, timeout_s: float = 10.0, calling: str = "DICOMNODE") -> Pacs:
        return Pacs(self.settings, calling, timeout_s)


def success(event: evt.Event) -> int:
    """Store without condition."""
    return 0x0000


@contextmanager
def storage_scp(
    answer: Answer = success,
    classes: tuple[str, ...] = ALL,
    syntaxes: tuple[UID, ...] = SYNTAXES,
    callers: tuple[str, ...] = (),
    port: int = 0,
    further: Iterable[evt.EventHandlerType] = (),
) -> Iterator[Scp]:
    """Accept `classes` in `syntaxes` and say what `answer` says; what got Success or a warning is taken."""
    scp = Scp()
    lock = threading.Lock()

    def requested(event: evt.Event) -> None:
        with lock:
            scp.associations += 1
            contexts = event.assoc.requestor.requested_contexts
            scp.proposed.append({str(context.abstract_syntax) for context in contexts})

    def store(event: evt.Event) -> int | Dataset:
        said = answer(event)
        status = said if isinstance(said, int) else int(said.Status)
        if status == 0x0000 or status >> 12 == 0xB:
            dataset = event.dataset
            dataset.file_meta = event.file_meta
            with lock:
                scp.taken.append(dataset)
        return said

    ae = AE(ae_title="PACS")
    ae.require_called_aet = True
    ae.require_calling_aet = list(callers)
    for sop_class in classes:
        ae.add_supported_context(sop_class, list(syntaxes))
    handlers = [(evt.EVT_C_STORE, store), (evt.EVT_REQUESTED, requested), *further]
    server = ae.make_server(("127.0.0.1", port), "PACS", ae.supported_contexts, evt_handlers=handlers)
    scp.port = server.server_address[1]
    # start_server would look for the end only twice a second
    listening = threading.Thread(target=server.serve_forever, args=(0.01,))
    listening.start()
    try:
        yield scp
    finally:
        BaseServer.shutdown(server)  # its own would look for itself in a list kept by start_server
        server.server_close()
        listening.join()


def write_object(folder: Path, sop_class_uid: str, number: int, study: str = "1.2.3") -> ResultObject:
    """A small object of the class, valid enough for the network."""
    dataset = Dataset()
    dataset.SOPClassUID = sop_class_uid
    dataset.SOPInstanceUID = f"2.25.{number}"
    dataset.StudyInstanceUID = study
    dataset.SeriesInstanceUID = "2.25.99"
    dataset.PatientID = "P1"
    dataset.PatientName = "Doe^Jane"
    dataset.Modality = "SR" if sop_class_uid in SR_CLASSES else "OT"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class_uid
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = folder / f"{study}-{number}.dcm"
    FileDataset(path, dataset, file_meta=meta, preamble=b"\0" * 128).save_as(path, enforce_file_format=True)
    return ResultObject(path, str(sop_class_uid), str(dataset.SOPInstanceUID))
