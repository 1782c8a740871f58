"""Files on disk to a storage SCP, as a scanner would send them: `dicom-node send`."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from pydicom.uid import MediaStorageDirectoryStorage
from pynetdicom import AE
from pynetdicom.presentation import PresentationContext, build_context

from dicom_node.delivery.exchange import Ended
from dicom_node.delivery.storage_association import StorageAssociation
from dicom_node.errors import DestinationUnreachable

MAX_CONTEXTS = 128  # PS3.8 9.3.2.2: presentation context IDs are the odd numbers up to 255
_TAGS = ["StudyInstanceUID"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One Part 10 file, and what must be negotiated to send it as it is."""

    path: Path
    sop_class_uid: str
    transfer_syntax_uid: str
    study_instance_uid: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What the peer said to one file: `status` as in PS3.4 B.2.3, None if there was no answer."""

    path: Path
    status: int | None
    comment: str = ""

    @property
    def stored(self) -> bool:
        """Success, or a warning under which the object was kept."""
        return self.status in {0x0000, 0xB000, 0xB006, 0xB007}


def find_files(paths: Iterable[Path]) -> tuple[list[Outgoing], list[Path]]:
    """Every DICOM file under `paths`, in name order, and the files that are not DICOM."""
    found: list[Outgoing] = []
    skipped: list[Path] = []
    for path in _files(paths):
        try:
            header = dcmread(path, specific_tags=_TAGS, stop_before_pixels=True)
            meta = header.file_meta
            if meta.MediaStorageSOPClassUID == MediaStorageDirectoryStorage:
                continue
            found.append(
                Outgoing(
                    path,
                    str(meta.MediaStorageSOPClassUID),
                    str(meta.TransferSyntaxUID),
                    str(header.get("StudyInstanceUID", "")),
                )
            )
        except (InvalidDicomError, AttributeError, OSError, ValueError, RecursionError):
            skipped.append(path)
    return found, skipped


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (inner for inner in sorted(path.rglob("*")) if inner.is_file())
        else:
            yield path


def send_files(
    files: list[Outgoing],
    address: tuple[str, int],
    called: str,
    calling: str,
    progress: Callable[[Sent], None],
) -> list[Sent]:
    """Send `files` on as few associations as the presentation contexts allow, one study after the other.

    What was not answered is sent once more, on an association of its own: storing twice is storing once.

    Raises:
        DestinationUnreachable: no association could be opened.
    """
    results: list[Sent] = []
    for batch in _batches(files):
        sent = _send_all(batch, _associate(batch, address, called, calling))
        if unanswered := [item for item, one in zip(batch, sent, strict=True) if one.status is None]:
            with suppress(DestinationUnreachable):
                again = _send_all(unanswered, _associate(unanswered, address, called, calling))
                by_path = {one.path: one for one in again}
                sent = [by_path.get(one.path, one) for one in sent]
        for result in sent:
            progress(result)
        results += sent
    return results


def _send_all(batch: list[Outgoing], association: StorageAssociation) -> list[Sent]:
    try:
        return [_send(association, item) for item in batch]
    finally:
        association.release()


def _batches(files: list[Outgoing]) -> Iterator[list[Outgoing]]:
    """Split at study borders, and where one association would need too many contexts."""
    batch: list[Outgoing] = []
    contexts: set[tuple[str, str]] = set()
    for item in sorted(files, key=lambda item: item.study_instance_uid):
        key = (item.sop_class_uid, item.transfer_syntax_uid)
        new_study = bool(batch) and item.study_instance_uid != batch[-1].study_instance_uid
        if new_study or len(contexts | {key}) > MAX_CONTEXTS:
            yield batch
            batch, contexts = [], set()
        batch.append(item)
        contexts.add(key)
    if batch:
        yield batch


def _associate(
    batch: list[Outgoing], address: tuple[str, int], called: str, calling: str
) -> StorageAssociation:
    contexts: list[PresentationContext] = [
        build_context(*key) for key in sorted({(i.sop_class_uid, i.transfer_syntax_uid) for i in batch})
    ]
    ae = AE(ae_title=calling)
    ae.connection_timeout = 10
    association = ae.associate(*address, contexts=contexts, ae_title=called)
    if not association.is_established:
        why = "refused the association" if association.is_rejected else "did not answer"
        raise DestinationUnreachable(f"{called} at {address[0]}:{address[1]} {why}")
    return StorageAssociation(association)


def _send(association: StorageAssociation, item: Outgoing) -> Sent:
    if not association.is_open():
        return Sent(item.path, None, "the association was lost")
    try:
        answer = association.store_file(item.path)
    except Ended as error:
        return Sent(item.path, None, f"no answer: the peer {error}")
    except (OSError, InvalidDicomError, ValueError) as error:
        return Sent(item.path, None, str(error).splitlines()[0])
    return Sent(item.path, answer.status, answer.comment)
