"""C-FIND as service class user (PS3.4 C.4.1): which objects of a series does the peer list?"""

from collections.abc import Iterable, Iterator, Sequence

from pydicom import Dataset
from pynetdicom.association import Association

from dicom_node.conformance import STUDY_ROOT_FIND
from dicom_node.delivery.line import Line, Unanswered
from dicom_node.delivery.proof import Finding, Found, SentObject
from dicom_node.errors import ServiceRefused

MOST_LISTED = 100_000
_PENDING = (0xFF00, 0xFF01)


def query(line: Line, objects: Sequence[SentObject]) -> list[Finding]:
    """Look for each object in the list of its series.

    Raises:
        ServiceRefused: the peer does not accept the service, or answers a query with a failure.
        DestinationError: nobody answered.
    """
    series = dict.fromkeys((one.study_instance_uid, one.series_instance_uid) for one in objects)
    held = list_series(line, series)
    missing = Finding(Found.MISSING, f"{line.name} does not list this object")
    return [Finding(Found.PROVED) if one.sop_instance_uid in held else missing for one in objects]


def list_series(line: Line, series: Iterable[tuple[str, str]]) -> set[str]:
    """SOP Instance UIDs that the peer lists for these (Study, Series Instance UID); errors as `query`."""
    held: set[str] = set()
    with line.service(STUDY_ROOT_FIND) as association:
        for study_uid, series_uid in series:
            held.update(_instances(line.name, association, _keys(study_uid, series_uid)))
            if len(held) > MOST_LISTED:
                raise ServiceRefused(f"{line.name} lists more than {MOST_LISTED} objects")
    return held


def _keys(study_uid: str, series_uid: str) -> Dataset:
    keys = Dataset()
    keys.QueryRetrieveLevel = "IMAGE"
    keys.StudyInstanceUID = study_uid
    keys.SeriesInstanceUID = series_uid
    keys.SOPInstanceUID = ""
    return keys


def _instances(name: str, association: Association, keys: Dataset) -> Iterator[str]:
    for count, (answer, found) in enumerate(association.send_c_find(keys, STUDY_ROOT_FIND)):
        if "Status" not in answer:
            raise Unanswered("the query")
        if answer.Status == 0x0000:
            return
        if answer.Status not in _PENDING or count > MOST_LISTED:
            raise ServiceRefused(f"{name} answers the query with {answer.Status:04X}H")
        if found is not None:
            yield str(found.get("SOPInstanceUID", ""))
