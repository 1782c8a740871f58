"""WADO-RS as user agent (PS3.18 10.4): what lies there under our UIDs, element by element?"""

from collections.abc import Sequence

from pydicom import Dataset

from dicom_node.delivery.proof import Finding, Found, SentObject
from dicom_node.delivery.returned import OwnForm, compare, own_form
from dicom_node.delivery.web.line import WebLine, in_path
from dicom_node.delivery.web.session import Refusal

_NOT_FOUND = (404, 410)


def retrieve(line: WebLine, objects: Sequence[SentObject]) -> list[Finding]:
    """Get each object back, one after the other, and compare it with ours.

    An object that is not found is unknown: the address may be another than we think.

    Raises:
        ServiceRefused: the service does not give objects back.
        DestinationError: nobody answered.
    """
    return [_finding(line, one) for one in objects]


def _finding(line: WebLine, one: SentObject) -> Finding:
    ours = own_form(one)
    if isinstance(ours, Finding):
        return ours
    theirs = _get(line, one, ours)
    if theirs is None:
        return Finding(Found.UNKNOWN, f"{line.name} has nothing to give back under this UID")
    return compare(line.name, ours.dataset, theirs)


def _get(line: WebLine, one: SentObject, ours: OwnForm) -> Dataset | None:
    study, series = in_path(one.study_instance_uid), in_path(one.series_instance_uid)
    with line.client(ours.most_bytes) as client, line.asking("WADO-RS"):
        try:
            return client.retrieve_instance(study, series, one.sop_instance_uid)
        except Refusal as error:
            if error.status in _NOT_FOUND:
                return None
            raise


def is_offered(line: WebLine, unknown_uid: str) -> bool:
    """Whether the service, known to be one, gives objects back: it must not know this one.

    Raises:
        ServiceRefused: it answers that it does not.
        DestinationError: nobody answered, or we are not let in.
    """
    with line.client() as client, line.asking("WADO-RS"):
        try:
            client.retrieve_instance(unknown_uid, unknown_uid, unknown_uid)
        except Refusal as error:
            if error.status in _NOT_FOUND:
                return True
            raise
    return False
