"""How destinations prove what they took, as `doctor` sees it."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from dicom_node.config import Settings
from dicom_node.delivery.destination import Destination
from dicom_node.delivery.proof import Method
from dicom_node.errors import DestinationError, NodeError
from dicom_node.migrations import require_current
from dicom_node.operate.finding import Finding, Level
from dicom_node.store import Store

_WHAT = "proof"
_Answer = TypeVar("_Answer")


def proof_findings(settings: Settings, pacs: Destination) -> Iterator[Finding]:
    """Which way of proof one destination accepts, and which is in use."""
    wish = pacs.proof.wish
    if wish == "none":
        advice = "set proof: auto for this destination, or nobody notices what it loses"
        yield Finding(_WHAT, Level.WARNING, f"{pacs.name} is not asked to prove anything", advice)
        return
    try:
        offered = pacs.proof.offers()
    except DestinationError as error:
        yield Finding(_WHAT, Level.WARNING, str(error))
        return
    method = _in_use(settings, pacs) or (offered[0] if offered else Method.NONE)
    yield from _unproven(settings, pacs.name)
    accepts = f"{pacs.name} accepts {', '.join(offered) or 'no way of proof'}"
    if wish != "auto" and wish not in offered:
        advice = f"allow {settings.receive.ae_title} to ask there, or set another proof for this destination"
        yield Finding(_WHAT, Level.PROBLEM, f"{accepts}; config.yaml wants {wish}", advice)
    elif not offered:
        advice = "have storage commitment, or queries, allowed there; until then Success is all there is"
        yield Finding(_WHAT, Level.WARNING, accepts, advice)
    else:
        yield Finding(_WHAT, Level.FINE, f"{accepts}; {method} is used ({wish})")
        yield from _way_back(settings, pacs, method)


def _in_use(settings: Settings, pacs: Destination) -> str:
    """What the node goes by: as configured, or as it found out; empty if it has not yet."""
    if pacs.proof.wish != "auto":
        return pacs.proof.wish
    held = _asked(settings, lambda store: store.proofs.method(pacs.name))
    return held.method if held and held.address == pacs.proof.address else ""


def _unproven(settings: Settings, name: str) -> Iterator[Finding]:
    count = _asked(settings, lambda store: store.sweeps.unproven(name))
    if count:
        advice = "`dicom-node jobs --state unconfirmed` says why, `dicom-node reconcile` what is missing now"
        yield Finding(_WHAT, Level.WARNING, f"{count} objects are not proved to be at {name}", advice)


def _asked(settings: Settings, question: Callable[[Store], _Answer]) -> _Answer | None:
    """The database's answer; None if it cannot be asked, which `doctor` says elsewhere."""
    try:
        require_current(settings.database_url)
        store = Store(settings.database_url)
        try:
            return question(store)
        finally:
            store.close()
    except NodeError:
        return None


def _way_back(settings: Settings, pacs: Destination, method: str) -> Iterator[Finding]:
    """Reports on commitment come on associations that the destination opens."""
    listed = {caller.ae_title for caller in settings.receive.callers}
    if method == Method.COMMITMENT and listed and pacs.ae_title not in listed:
        found = f"{pacs.name} may report on commitment by calling us, and {pacs.ae_title} is not listed"
        yield Finding(_WHAT, Level.WARNING, found, f"add {pacs.ae_title} to receive.callers")
