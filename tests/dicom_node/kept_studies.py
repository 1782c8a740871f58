"""Files put into a node's archive and index, as if a scanner had sent them."""

from pathlib import Path

from pydicom import dcmread

from dicom_node.archive import Archive, Arrival
from dicom_node.clock import now_utc
from dicom_node.intake.index import Index
from dicom_node.migrations import migrate
from dicom_node.store import Store


def keep_studies(data_dir: Path, folder: Path) -> None:
    """Every DICOM file below `folder`."""
    archive, paths = Archive(data_dir / "archive", 0), []
    for path in sorted(folder.rglob("*.dcm")):
        encoded, header = path.read_bytes(), dcmread(path, stop_before_pixels=True)
        meta_length = 144 + int.from_bytes(encoded[140:144], "little")
        syntax = header.file_meta.TransferSyntaxUID
        uids = map(str, (header.StudyInstanceUID, header.SOPInstanceUID, header.SOPClassUID, syntax))
        paths.append(archive.keep(Arrival(*uids, "SCANNER", encoded[meta_length:])).path)
    migrate(f"sqlite:///{data_dir / 'node.db'}")
    store = Store(f"sqlite:///{data_dir / 'node.db'}")
    Index(archive, store).take(paths, now_utc())
    store.close()
