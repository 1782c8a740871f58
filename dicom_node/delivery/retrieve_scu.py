"""C-GET as service class user (PS3.4 C.4.3): what lies there under our UIDs, element by element?"""

from collections.abc import Iterator, Sequence
from typing import final

from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.events import Event
from pynetdicom.presentation import build_role

from dicom_node.conformance import STUDY_ROOT_GET
from dicom_node.delivery.line import Line, Unanswered, context
from dicom_node.delivery.proof import Finding, Found, SentObject
from dicom_node.delivery.returned import ROOM_BYTES, compare, own_form
from dicom_node.errors import ServiceRefused

_REFUSED, _STORED = 0xA900, 0x0000
_NOT_OFFERED = 0x0122


def retrieve(line: Line, objects: Sequence[SentObject]) -> list[Finding]:
    """Get each object back, one after the other, and compare it with ours.

    Raises:
        ServiceRefused: the peer does not accept the service, or answers that it does not do it.
        DestinationError: nobody answered.
    """
    return list(_findings(line, objects))


def _findings(line: Line, objects: Sequence[SentObject]) -> Iterator[Finding]:
    classes = sorted({one.sop_class_uid for one in objects})
    basket = _Basket()
    with line.service(
        STUDY_ROOT_GET,
        [context(uid) for uid in classes],
        [build_role(uid, scp_role=True) for uid in classes],
        [(evt.EVT_C_STORE, basket.on_store), (evt.EVT_DATA_RECV, basket.on_data)],
    ) as association:
        for one in objects:
            ours = own_form(one)
            if isinstance(ours, Finding):
                yield ours
                continue
            basket.expect(one.sop_instance_uid, ours.most_bytes)
            yield _judge(line.name, _get(association, one), ours.dataset, basket.found)


def _get(association: Association, one: SentObject) -> int:
    """The last status of one C-GET."""
    keys = Dataset()
    keys.QueryRetrieveLevel = "IMAGE"
    keys.StudyInstanceUID = one.study_instance_uid
    keys.SeriesInstanceUID = one.series_instance_uid
    keys.SOPInstanceUID = one.sop_instance_uid
    answers = [answer for answer, _ in association.send_c_get(keys, STUDY_ROOT_GET)]
    if not answers or "Status" not in answers[-1]:
        raise Unanswered("the request for an object")
    return int(answers[-1].Status)


def _judge(name: str, status: int, ours: Dataset, theirs: Dataset | None) -> Finding:
    if status == _NOT_OFFERED:
        raise ServiceRefused(f"{name} answers C-GET with {status:04X}H")
    if theirs is not None:
        return compare(name, ours, theirs)
    if status == _STORED:
        return Finding(Found.MISSING, f"{name} has nothing to give back under this UID")
    return Finding(Found.UNKNOWN, f"{name} did not give the object back ({status:04X}H)")


@final
class _Basket:
    """Takes the one object that was asked for, and no more bytes than it may have."""

    def __init__(self) -> None:
        self.found: Dataset | None = None
        self._wanted = ""
        self._room = ROOM_BYTES

    def expect(self, sop_instance_uid: str, most_bytes: int) -> None:
        """From now on this object."""
        self.found, self._wanted, self._room = None, sop_instance_uid, most_bytes

    def on_data(self, event: Event) -> None:
        """EVT_DATA_RECV: whoever sends far more than we have is cut off."""
        self._room -= len(event.data)
        if self._room < 0:
            event.assoc.abort()

    def on_store(self, event: Event) -> int:
        """EVT_C_STORE."""
        dataset = event.dataset
        if dataset.get("SOPInstanceUID") != self._wanted:
            return _REFUSED
        self.found = dataset
        return _STORED
