"""C-STORE: bytes to the archive, a line to the node, an honest status back."""

from dataclasses import dataclass
from io import BytesIO

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.events import Event
from pynetdicom.presentation import PresentationContextTuple

from dicom_node.archive import Archive, Arrival, Kept
from dicom_node.conformance import (
    CANNOT_UNDERSTAND,
    DOES_NOT_MATCH,
    OUT_OF_RESOURCES,
    SUCCESS,
    Action,
    action_of,
)
from dicom_node.errors import ArchiveFull, ArchiveUnwritable, ClassMismatch, NodeError, NotUnderstood
from dicom_node.receiver.header import Header, read_header
from dicom_node.receiver.outbox import Outbox
from dicom_node.receiver.pace import Paces
from dicom_node.receiver.quick_header import quick_header
from dicom_node.receiver.session import Session, Sessions
from dicom_node.receiver.store_command import error_comment

OUR_MODEL_NAME = "dicom-node"

# The one place where errors become statuses; conformance.STATUSES explains them to the peer's people.
_STATUS_OF: dict[type[NodeError], int] = {
    ArchiveFull: OUT_OF_RESOURCES,
    ArchiveUnwritable: OUT_OF_RESOURCES,
    ClassMismatch: DOES_NOT_MATCH,
    NotUnderstood: CANNOT_UNDERSTAND,
}


@dataclass(frozen=True, slots=True, eq=False)
class Incoming:
    """A C-STORE request that is complete: what its command says, without padding, and its data set.

    `excess` says why the data set was not held, or is "".
    """

    sop_class_uid: str
    sop_instance_uid: str
    context: PresentationContextTuple
    dataset: BytesIO | None
    excess: str


class Storing:
    """Answers C-STORE requests. One object serves all associations, each on its own thread."""

    def __init__(self, archive: Archive, outbox: Outbox, sessions: Sessions, max_object_bytes: int) -> None:
        self._archive = archive
        self._outbox = outbox
        self._sessions = sessions
        self._max_object_bytes = max_object_bytes
        self._paces = Paces()
        self.latest_study = ""

    def on_store(self, event: Event) -> Dataset | int:
        """EVT_C_STORE: a request that came pynetdicom's way."""
        session = self._sessions.of(event.assoc)
        assert session is not None
        request = event.request
        assert isinstance(request, C_STORE)
        excess = session.overflowed.pop(request.MessageID or -1, "")
        incoming = Incoming(
            str(request.AffectedSOPClassUID).strip("\0 "),
            str(request.AffectedSOPInstanceUID).strip("\0 "),
            event.context,
            request.DataSet,
            excess,
        )
        status, reason = self.store(session, incoming)
        return SUCCESS if status == SUCCESS else _response(status, reason)

    def store(self, session: Session, incoming: Incoming) -> tuple[int, str]:
        """Keep an object, or say why not: the status and, with a refusal, its reason.

        Nothing a peer sends may end more than its own object.
        """
        self._paces.wait(session.caller)
        status, reason = self._answer(session, incoming)
        if status == SUCCESS:
            session.stored += 1
            return SUCCESS, ""
        self.tell_refused(session, incoming.sop_instance_uid, status, reason)
        return status, reason

    def tell_refused(self, session: Session, instance: str, status: int, reason: str) -> None:
        """An object was not taken."""
        session.refused += 1
        self._outbox.put(
            "refused",
            association=session.id,
            calling=session.calling,
            instance=instance,
            status=f"{status:04X}",
            reason=reason,
        )

    def tell_postponed(self, study: str, instance: str) -> None:
        """An object of this study was not taken, and will be if it comes again."""
        self._outbox.put("postponed", study=study, instance=instance)

    def tell_stored(
        self, session: Session, study: str, instance: str, kept: Kept, *, discarded: bool = False
    ) -> None:
        """An object is in the archive, or a note on it."""
        session.study = self.latest_study = study
        session.studies[study] = None
        self._outbox.put(
            "stored",
            path=kept.path,
            digest=kept.digest,
            study=study,
            instance=instance,
            association=session.id,
            new=kept.new,
            discarded=discarded,
        )

    def stop(self) -> None:
        """Keep nobody waiting any more."""
        self._paces.stop()

    def _answer(self, session: Session, incoming: Incoming) -> tuple[int, str]:
        try:
            if not self._sessions.answer_begun(session):
                raise ArchiveFull("the node is shutting down, send again later")
            self._keep(session, incoming)
        except NodeError as error:
            return _STATUS_OF[type(error)], str(error)
        except MemoryError:
            return OUT_OF_RESOURCES, "out of memory"
        except RecursionError:
            return CANNOT_UNDERSTAND, "the sequences are nested too deeply"
        except Exception as error:  # noqa: BLE001 - the door: a stranger's bytes met a parser
            return CANNOT_UNDERSTAND, f"the data set cannot be parsed ({type(error).__name__})"
        finally:
            session.serving_bytes = 0
        return SUCCESS, ""

    def _keep(self, session: Session, incoming: Incoming) -> None:
        if incoming.excess:
            raise ArchiveFull(incoming.excess)
        if incoming.dataset is None:
            raise NotUnderstood("there is no data set")
        session.serving_bytes = incoming.dataset.getbuffer().nbytes
        header = self._header(incoming.dataset, incoming.context.transfer_syntax)
        _check_identity(header, incoming)
        study, instance = header.study_instance_uid, header.sop_instance_uid
        try:
            kept, discarded = self._file(header, incoming.dataset, incoming.context.transfer_syntax, session)
        except (ArchiveFull, ArchiveUnwritable):
            self.tell_postponed(study, instance)
            raise
        self.tell_stored(session, study, instance, kept, discarded=discarded)

    def _header(self, encoded: BytesIO, transfer_syntax: UID) -> Header:
        quick = quick_header(encoded.getbuffer(), transfer_syntax)
        return quick or read_header(encoded, transfer_syntax, self._max_object_bytes)

    def _file(
        self, header: Header, encoded: BytesIO, transfer_syntax: UID, session: Session
    ) -> tuple[Kept, bool]:
        arrival = Arrival(
            header.study_instance_uid,
            header.sop_instance_uid,
            header.sop_class_uid,
            str(transfer_syntax),
            session.calling,
            encoded.getbuffer(),
        )
        if header.model_name == OUR_MODEL_NAME:
            return self._archive.keep_note(arrival, "a result of our own, or of a node like us"), True
        if action_of(header.sop_class_uid) is Action.DISCARD:
            return self._archive.keep_note(arrival, f"{_class_name(header)} is not analysed"), True
        return self._archive.keep(arrival), False


def _check_identity(header: Header, incoming: Incoming) -> None:
    """The data set must be what command and context announced (PS3.4 B.2.3, PS3.7 9.1.1.1)."""
    if not header.sop_class_uid == incoming.sop_class_uid == incoming.context.abstract_syntax:
        raise ClassMismatch(f"it is {_class_name(header)}")
    if header.sop_instance_uid != incoming.sop_instance_uid:
        raise ClassMismatch("the SOP Instance UID differs from the command's")


def _class_name(header: Header) -> str:
    return UID(header.sop_class_uid).name


def _response(status: int, reason: str) -> Dataset:
    response = Dataset()
    response.Status = status
    response.ErrorComment = error_comment(reason)
    return response
