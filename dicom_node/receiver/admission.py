"""Who may open an association."""

import ipaddress
from dataclasses import dataclass

from dicom_node.receiver.settings import Caller, ReceiverSettings

_PERMANENT, _TRANSIENT = 0x01, 0x02
_BY_USER, _BY_PROVIDER = 0x01, 0x03
_LOCAL_LIMIT = 0x02
_CALLING_UNKNOWN, _CALLED_UNKNOWN = 0x03, 0x07


@dataclass(frozen=True, slots=True)
class Rejection:
    """The fields of an A-ASSOCIATE-RJ (PS3.8 9.3.4), and the same as a sentence."""

    result: int
    source: int
    diagnostic: int
    reason: str


def rejection(
    calling: str, called: str, address: str, settings: ReceiverSettings
) -> tuple[Rejection | None, Caller | None]:
    """Why this caller is turned away, or None; and who of the list it is (None where there is no list).

    AE titles are compared without padding (PS3.8 9.3.2).
    """
    if settings.require_called_ae and called.strip() != settings.ae_title:
        reason = f"it called {called.strip()!r}, we are {settings.ae_title!r}"
        return Rejection(_PERMANENT, _BY_USER, _CALLED_UNKNOWN, reason), None
    if not settings.callers:
        return None, None
    caller = _listed(calling.strip(), address, settings.callers)
    if caller is None:
        reason = f"{calling.strip()!r} at {address} is not among receive.callers"
        return Rejection(_PERMANENT, _BY_USER, _CALLING_UNKNOWN, reason), None
    return None, caller


def too_many(caller: Caller) -> Rejection:
    """The answer to an association beyond those that this caller may have."""
    reason = f"{caller.ae_title!r} has {caller.max_associations} associations open already"
    return Rejection(_TRANSIENT, _BY_PROVIDER, _LOCAL_LIMIT, reason)


def _listed(calling: str, address: str, callers: tuple[Caller, ...]) -> Caller | None:
    """The entry of the list that fits; one that names the address before one that does not."""
    fitting = [
        caller
        for caller in callers
        if caller.ae_title == calling and (not caller.address or same_address(caller.address, address))
    ]
    return max(fitting, key=lambda caller: bool(caller.address), default=None)


def same_address(listed: str, address: str) -> bool:
    """Whether both are one address, written as IPv4 or as IPv6."""
    return _plain(listed) == _plain(address)


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address; an IPv4 one that arrives on an IPv6 socket (::ffff:192.0.2.1) as IPv4."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed
