"""TLS after the BCP 195 profile of PS3.15 (RFC 8996, RFC 9325): 1.2 or 1.3, forward secrecy, no fallback."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from dicom_node.errors import TlsError

CIPHERS_1_2 = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
)
"""What is offered and taken with TLS 1.2; with 1.3 the library's own three or four suites."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: our certificate with its chain, its key, and the authorities we believe."""

    certificate: Path | None = None
    key: Path | None = None
    authorities: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Those that are given."""
        return tuple(path for path in (self.certificate, self.key, self.authorities) if path)

    @property
    def signature(self) -> tuple[object, ...]:
        """Changes when a file is replaced."""
        return tuple(_signature(path) for path in self.paths)


def server_context(files: TlsFiles, *, mutual: bool) -> ssl.SSLContext:
    """What we answer with. `mutual`: only to peers whose certificate one of our authorities signed.

    Raises:
        TlsError: a file is missing, is no PEM, or certificate and key do not belong together.
    """
    context = _strict(ssl.PROTOCOL_TLS_SERVER)
    if files.certificate is None:
        raise TlsError("TLS needs tls.certificate and tls.key")
    _identify(context, files)
    if mutual:
        _believe(context, files)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """What we call with: the peer must prove its name; our own certificate is shown if it asks.

    Raises:
        TlsError: as `server_context`.
    """
    context = _strict(ssl.PROTOCOL_TLS_CLIENT)
    _believe(context, files)
    if files.certificate is not None:
        _identify(context, files)
    return context


def handshake_failure(secured: tuple[ssl.SSLContext, str], address: tuple[str, int], timeout_s: float) -> str:
    """Why no TLS connection comes about, by trying once; empty if one does, or if nobody answers there."""
    context, name = secured
    try:
        with (
            socket.create_connection(address, timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=name),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not believed: {error.verify_message}"
    except ssl.SSLError as error:
        return reason_of(error)
    except OSError:
        return ""


def reason_of(error: OSError) -> str:
    """A failed handshake in words."""
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return error.strerror or str(error)


@final
class FreshContext:
    """A context that follows its files: replaced certificates count from the next connection on.

    New files that cannot be used change nothing, and `complain` hears why, once per change.
    """

    def __init__(
        self, files: TlsFiles, make: Callable[[TlsFiles], ssl.SSLContext], complain: Callable[[str], None]
    ) -> None:
        """Make the first context.

        Raises:
            TlsError: the files cannot be used.
        """
        self._files = files
        self._make = make
        self._complain = complain
        self._signature = files.signature
        self._context = make(files)

    def get(self) -> ssl.SSLContext:
        """The context for the next connection."""
        signature = self._files.signature
        if signature != self._signature:
            self._signature = signature
            try:
                self._context = self._make(self._files)
            except TlsError as error:
                self._complain(f"the former certificates stay in use: {error}")
        return self._context


def _strict(protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join(CIPHERS_1_2))
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    return context


def _identify(context: ssl.SSLContext, files: TlsFiles) -> None:
    assert files.certificate is not None
    try:
        context.load_cert_chain(files.certificate, files.key, _no_passphrase)
    except ssl.SSLError as error:
        raise TlsError(f"{files.certificate} and {files.key}: {error.reason or error}") from error
    except OSError as error:
        raise TlsError(f"{files.certificate} or {files.key}: {error.strerror or error}") from error


def _no_passphrase() -> str:
    raise TlsError("tls.key is encrypted; the node starts alone and needs it without a passphrase")


def _believe(context: ssl.SSLContext, files: TlsFiles) -> None:
    if files.authorities is None:
        raise TlsError("tls.authorities must name the certificates of those who sign for our peers")
    try:
        context.load_verify_locations(files.authorities)
    except ssl.SSLError as error:
        raise TlsError(f"{files.authorities} holds no PEM certificates: {error.reason or error}") from error
    except OSError as error:
        raise TlsError(f"{files.authorities}: {error.strerror or error}") from error


def _signature(path: Path) -> object:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
