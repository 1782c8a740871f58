"""What `doctor` says about the node's certificates: whether they can be used, and for how long."""

import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from dicom_node.config import Settings
from dicom_node.errors import TlsError
from dicom_node.operate.finding import Finding, Level
from dicom_node.tls import TlsFiles, client_context, server_context

WARN_BEFORE = timedelta(days=30)


def certificate_findings(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Nothing where TLS is not used; else whether it works, and when it stops."""
    tls = settings.tls
    calls = any(destination.tls for destination in settings.destinations)
    if settings.receive.tls == "off" and not calls:
        return
    files = TlsFiles(tls.certificate, tls.key, tls.authorities)
    try:
        if settings.receive.tls != "off":
            server_context(files, mutual=settings.receive.tls == "mutual")
        if calls:
            client_context(files)
        ends = {path: _ends_at(path) for path in (tls.certificate, tls.authorities) if path is not None}
    except TlsError as error:
        yield Finding("TLS", Level.PROBLEM, str(error), "correct the files named under tls in config.yaml")
        return
    for path, end in ends.items():
        yield _validity(path, end, now)
    if tls.key is not None and tls.key.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        advice = f"chmod 600 {tls.key}"
        yield Finding("TLS", Level.WARNING, f"{tls.key} can be read by other users", advice)


def _validity(path: Path, end: datetime, now: datetime) -> Finding:
    if end <= now:
        advice = "peers refuse it: replace it now; the node takes up the new file by itself"
        return Finding("TLS", Level.PROBLEM, f"{path} ended on {end:%Y-%m-%d}", advice)
    found = f"{path} is valid until {end:%Y-%m-%d}"
    if end - now < WARN_BEFORE:
        advice = "replace the file; the node takes it up by itself, at its next connection"
        return Finding("TLS", Level.WARNING, f"{found}, {(end - now).days} days from now", advice)
    return Finding("TLS", Level.FINE, found)


def _ends_at(path: Path) -> datetime:
    """When the first certificate of a PEM file to end will do so (aware, UTC)."""
    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise TlsError(f"{path} cannot be read as certificates: {error}") from error
    return min(certificate.not_valid_after_utc for certificate in certificates).astimezone(UTC)
