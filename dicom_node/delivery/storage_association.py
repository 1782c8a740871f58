"""An association that carries C-STORE alone: negotiated by pynetdicom, and taken over from it for good."""

import contextlib
import socket
from io import BytesIO
from pathlib import Path
from typing import Final, final

from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom.association import Association
from pynetdicom.dsutils import encode, split_dataset
from pynetdicom.presentation import PresentationContext

from dicom_node.delivery.exchange import Ended, Exchange
from dicom_node.receiver.store_command import StoreAnswer

_TRANSFER: Final = "Sta6"
_PATIENCE_S = 30.0
_HALF_A_PDU_S = 5.0
_NEEDED = ("MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID", "TransferSyntaxUID")


@final
class StorageAssociation:
    """Sends objects one after the other, then releases. One thread at a time may use it.

    Pynetdicom has two threads per association that read: the upper layer's the socket, the association's own
    the messages, among them answers that others wait for. Both have ended when this has been made, and what
    is over cannot take an answer: the one reader left is whoever calls.
    """

    def __init__(self, association: Association) -> None:
        """Take over an association just negotiated, established or not; nobody else may use it any more."""
        self._negotiated = association
        self._exchange = _take_over(association)

    @property
    def accepted(self) -> set[tuple[str, str]]:
        """SOP class and transfer syntax of each presentation context that the peer accepted."""
        contexts = self._negotiated.accepted_contexts
        return {(str(one.abstract_syntax), str(one.transfer_syntax[0])) for one in contexts}

    @property
    def rejected_contexts(self) -> list[PresentationContext]:
        """Those it did not accept, each with its result (PS3.8 table 9-18)."""
        return self._negotiated.rejected_contexts

    def is_open(self) -> bool:
        """Whether another object can be sent."""
        return self._exchange is not None and self._exchange.is_open()

    def store_file(self, path: Path) -> StoreAnswer:
        """Send a Part 10 file's data set as it lies there.

        Raises:
            Ended: there was no answer.
            ValueError: no context was accepted for it, or its meta information does not say what it is.
            OSError, InvalidDicomError: it cannot be read.
        """
        meta, begin = split_dataset(path)
        if missing := [word for word in _NEEDED if word not in meta]:
            raise ValueError(f"the file meta information lacks {', '.join(missing)}")
        sop_class_uid, syntax = meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID
        context = self._context(sop_class_uid, syntax, may_convert=False)
        with path.open("rb") as file:
            file.seek(begin)
            instance = str(meta.MediaStorageSOPInstanceUID)
            return self._open.store(context.context_id or 0, str(sop_class_uid), instance, file)

    def store_dataset(self, dataset: Dataset) -> StoreAnswer:
        """Send a data set in a transfer syntax that was accepted.

        Raises:
            Ended: there was no answer.
            ValueError: no context was accepted for it, or it cannot be encoded so.
        """
        held_syntax = dataset.file_meta.TransferSyntaxUID
        context = self._context(dataset.SOPClassUID, held_syntax, may_convert=True)
        syntax = context.transfer_syntax[0]
        encoded = encode(dataset, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
        if encoded is None:
            raise ValueError(f"it does not go into {syntax.name}")
        class_uid, instance_uid = str(dataset.SOPClassUID), str(dataset.SOPInstanceUID)
        return self._open.store(context.context_id or 0, class_uid, instance_uid, BytesIO(encoded))

    def release(self) -> None:
        """End it in order if it is open; it is over afterwards in any case."""
        if self._exchange is not None:
            self._exchange.release()

    @property
    def _open(self) -> Exchange:
        if self._exchange is None:
            raise Ended("ended the association at once")
        return self._exchange

    def _context(self, sop_class_uid: UID, syntax: UID, *, may_convert: bool) -> PresentationContext:
        return self._negotiated._get_valid_context(sop_class_uid, syntax, "scu", allow_conversion=may_convert)


def _take_over(association: Association) -> Exchange | None:
    """End both threads, first the one that acts on what the other hears; None if the association is over.

    Whatever they heard since the negotiation ends it: it is its end, or what nobody asked for.
    """
    if not association.is_established:
        return None
    association._kill = True
    association.join()
    upper_layer = association.dul
    assert upper_layer.socket is not None
    wire = upper_layer.socket.socket
    upper_layer.kill_dul()
    upper_layer.join(_HALF_A_PDU_S)
    association.is_established = False  # for pynetdicom, it ends here
    if wire is None:
        return None
    if upper_layer.is_alive() or _has_heard_anything(association):
        with contextlib.suppress(OSError):
            wire.shutdown(socket.SHUT_RDWR)
        upper_layer.join()
        wire.close()
        return None
    upper_layer.socket = None
    return Exchange(wire, association.acceptor.maximum_length or 0, association.dimse_timeout or _PATIENCE_S)


def _has_heard_anything(association: Association) -> bool:
    upper_layer, messages = association.dul, association.dimse
    queues = (upper_layer.to_user_queue, upper_layer.event_queue, messages.msg_queue)
    heard = any(one.queue for one in queues) or messages.message is not None
    return heard or upper_layer.state_machine.current_state != _TRANSFER
