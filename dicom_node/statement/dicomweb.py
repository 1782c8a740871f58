"""The node as user agent of DICOMweb (PS3.18): what it asks for, and what it makes of the answers."""

from collections.abc import Iterable, Iterator

from dicom_node.delivery.web.line import LISTING_BYTES, NOT_LET_IN, NOT_THERE, PASSES
from dicom_node.delivery.web.session import LEAST_BYTES_PER_S
from dicom_node.delivery.web.stow import ABOUT_THE_OBJECT, FINAL
from dicom_node.statement.markdown import code, table

_HEAD = """\
### 4.7 DICOMweb user agent

A destination with a `url` is reached by DICOMweb. What becomes of an object, how often it is tried and
how it is proved is the same as above; these are the requests:

"""
_REQUESTS = (
    (
        "STOW-RS (PS3.18 10.5)",
        '`POST {url}/studies`, `multipart/related; type="application/dicom"`, one instance per request',
        "each object, as it is stored here; a report that is refused with `0122` again in its next form",
    ),
    (
        "WADO-RS (PS3.18 10.4)",
        "`GET {url}/studies/…/series/…/instances/…`, `application/dicom` in any transfer syntax",
        "`proof: retrieve`: every element is compared",
    ),
    (
        "QIDO-RS (PS3.18 10.6)",
        "`GET {url}/studies/…/series/…/instances`, `includefield=SOPInstanceUID`, `offset`",
        "`proof: query`, reconciliation, and `dicom-node echo`, which asks for a series that nobody has",
    ),
)
_PROBE = """\
With `proof: auto`, an object that nobody has is asked for: QIDO-RS that answers `200` or `204` is offered,
and then WADO-RS that answers `404` or `410`.
"""


def dicomweb() -> Iterator[str]:
    """Requests, answers, limits."""
    yield _HEAD
    yield from table(("service", "request", "for"), _REQUESTS)
    yield from table(("answer to STOW-RS", "taken as"), _answers())
    yield from table(("", ""), _limits())
    yield _PROBE


def _answers() -> Iterator[tuple[str, str]]:
    stored, judged = _codes((200, 202)), _codes((200, 202, *ABOUT_THE_OBJECT))
    yield f"{stored}: named in Referenced SOP Sequence", "delivered; with a Warning Reason: with a warning"
    failed = "as the table of C-STORE statuses has the Failure Reason"
    yield f"{judged}: an item in Failed SOP Sequence or Other Failures Sequence", failed
    yield f"{stored} that names the object nowhere", "doubtful: HTTP success alone is no answer"
    yield f"{_codes(FINAL)} without a reason", "refused"
    yield f"{_codes(set(ABOUT_THE_OBJECT) - set(FINAL))} without a reason", "doubtful"
    wrong = "later, for the whole study: the address or the secret is wrong"
    yield f"{_codes((*NOT_LET_IN, *NOT_THERE))}, any other `4xx`", wrong
    yield "`3xx`", "later; no redirect is followed, to whatever host"
    yield f"{_codes(PASSES)}, any other `5xx`, no answer, an answer that cannot be read", "later"


def _limits() -> Iterator[tuple[str, str]]:
    slow = f"an answer slower than {LEAST_BYTES_PER_S // 1000} kB/s after that is given up"
    waits = "`deliver.timeout_s` for the connection, for each piece sent, and for the answer to begin"
    yield "Media type of answers", "`application/dicom+json`; XML is not read"
    yield "Longest answer", f"{LISTING_BYTES // 1_000_000} MB; for an object, twice its size and 1 MB"
    yield "Time-out", f"{waits}; {slow}"
    yield "TLS", "section 8; the authorities in `tls.authorities` and no others"
    yield "Authentication", "none, Basic (RFC 7617) or bearer token (RFC 6750); over TLS, or on this machine"
    yield "Proxies, retries by the HTTP library", "none"
    yield "Capabilities, storage commitment by DICOMweb, UPS-RS", "not asked for"


def _codes(statuses: Iterable[int]) -> str:
    return ", ".join(code(str(one)) for one in sorted(statuses))
