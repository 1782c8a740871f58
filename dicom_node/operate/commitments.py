"""Requests for storage commitment as a person sees them: who waits for a report, and who was never told."""

from collections import Counter
from collections.abc import Iterator

from dicom_node.archive.commitment_requests import Progress, RequestFiles, Standing, requests_beside
from dicom_node.config import Settings
from dicom_node.operate.finding import Finding, Level
from dicom_node.places import archive_dir

_WHAT = "commitment"


def commitment_counts(settings: Settings) -> dict[str, int]:
    """How many requests stand how: those that wait, and those that were settled lately."""
    files = _files(settings)
    counts = Counter(str(one.standing) for one in files.known() if one.standing is not Standing.WAITING)
    if waiting := len(files.names()):
        counts[str(Standing.WAITING)] = waiting
    return dict(counts)


def commitment_findings(settings: Settings) -> Iterator[Finding]:
    """One finding per caller that was not told; one in all if there is none."""
    untold: dict[str, list[Progress]] = {}
    for one in _files(settings).known():
        if one.standing is not Standing.REPORTED:
            untold.setdefault(one.calling, []).append(one)
    if not untold:
        yield Finding(_WHAT, Level.FINE, "every request for storage commitment was reported on, or none came")
    for calling, some in sorted(untold.items()):
        last = max(some, key=lambda one: one.at)
        lost = sum(one.standing is Standing.GIVEN_UP for one in some)
        found = f"{calling}: {len(some) - lost} reports wait, {lost} were given up; {last.comment}"
        advice = "set the port on which it takes reports in receive.callers, and let it ask again"
        yield Finding(_WHAT, Level.PROBLEM if lost else Level.WARNING, found, advice)


def _files(settings: Settings) -> RequestFiles:
    return RequestFiles(requests_beside(archive_dir(settings)))
