"""QIDO-RS as user agent (PS3.18 10.6): which objects of a series does the service list?"""

from collections.abc import Iterable, Sequence

from dicom_node.delivery.proof import Finding, Found, SentObject
from dicom_node.delivery.web.line import WebLine, in_path
from dicom_node.errors import ServiceRefused

MOST_LISTED = 100_000
_SOP_INSTANCE_UID = "00080018"


def query(line: WebLine, objects: Sequence[SentObject]) -> list[Finding]:
    """Look for each object in the list of its series.

    Raises:
        ServiceRefused: the service does not answer queries.
        DestinationError: nobody answered.
    """
    series: dict[tuple[str, str], set[str]] = {}
    for one in objects:
        key = one.study_instance_uid, one.series_instance_uid
        series.setdefault(key, set()).add(one.sop_instance_uid)
    held: set[str] = set()
    for (study_uid, series_uid), wanted in series.items():
        held |= list_series(line, study_uid, series_uid, wanted)
    missing = Finding(Found.MISSING, f"{line.name} does not list this object")
    return [Finding(Found.PROVED) if one.sop_instance_uid in held else missing for one in objects]


def list_series(line: WebLine, study_uid: str, series_uid: str, wanted: Iterable[str] = ()) -> set[str]:
    """SOP Instance UIDs that are listed for a series: page after page, until all of `wanted` were seen.

    Errors as `query`.
    """
    held: set[str] = set()
    left = set(wanted)
    with line.client() as client:
        while True:
            with line.asking("QIDO-RS"):
                answer = client.search_for_instances(
                    in_path(study_uid), in_path(series_uid), fields=["SOPInstanceUID"], offset=len(held)
                )
                page = {str(one[_SOP_INSTANCE_UID]["Value"][0]) for one in answer} - held
            held |= page
            if len(held) > MOST_LISTED:
                raise ServiceRefused(f"{line.name} lists more than {MOST_LISTED} objects")
            if not page or left <= held:  # some services do not know of pages
                return held
