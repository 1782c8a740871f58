"""Which way a destination is asked for proof: as config.yaml says, or as it turned out."""

from datetime import datetime, timedelta

import structlog

from dicom_node.delivery.proof import Method, Proving
from dicom_node.store import Store
from dicom_node.store.records import RememberedMethod

log = structlog.get_logger()

_LOOK_AGAIN = timedelta(days=1)


def choose(store: Store, name: str, proving: Proving, at: datetime) -> Method:
    """The way that config.yaml names; for `auto` the strongest that was accepted, which is remembered.

    It is looked for anew when the address changes, and once a day while there is none.

    Raises:
        DestinationError: nobody answered.
    """
    if proving.wish != "auto":
        return Method(proving.wish)
    held = store.proofs.method(name)
    if held is not None and held.address == proving.address and not _stale(held, at):
        return Method(held.method)
    offered = proving.offers()
    method = offered[0] if offered else Method.NONE
    _remember(store, RememberedMethod(name, proving.address, method, tuple(offered), at))
    return method


def drop(store: Store, name: str, proving: Proving, method: Method) -> None:
    """This way did not work: take the next strongest, or look anew if there is none. Fixed ones stay."""
    held = store.proofs.method(name)
    if proving.wish != "auto" or held is None or held.method != method:
        return
    left = tuple(one for one in held.offered if one != method)
    if left:
        _remember(store, RememberedMethod(name, held.address, left[0], left, held.probed_at))
    else:
        store.proofs.forget(name)


def _stale(held: RememberedMethod, at: datetime) -> bool:
    return held.method == Method.NONE and at - held.probed_at >= _LOOK_AGAIN


def _remember(store: Store, found: RememberedMethod) -> None:
    store.proofs.remember(found)
    offered = [str(one) for one in found.offered]
    log.info("proof-method", destination=found.destination, method=str(found.method), offered=offered)
