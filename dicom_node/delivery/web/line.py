"""The way to one DICOMweb service, and sentences for when it leads nowhere."""

import logging
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final
from urllib.parse import quote

import requests
from dicomweb_client.web import DICOMwebClient
from urllib3.exceptions import NewConnectionError

from dicom_node.config_destinations import WebDestination
from dicom_node.delivery.web.credentials import Variable, authorization
from dicom_node.delivery.web.session import Refusal, Silent, open_session
from dicom_node.errors import (
    DestinationError,
    DestinationRefused,
    DestinationUnreachable,
    ServiceRefused,
    TlsError,
)
from dicom_node.tls import TlsFiles, client_context
from pipeline.header import UNREADABLE

# They quote addresses with UIDs, and tracebacks; what an administrator needs to know is in our outcomes.
for _library in ("dicomweb_client", "retrying", "urllib3"):
    logging.getLogger(_library).setLevel(logging.CRITICAL + 1)

LISTING_BYTES = 16_000_000
"""No list of objects, and no answer to an object sent, is longer."""
NOT_LET_IN = (401, 403)
NOT_THERE = (404, 405, 410, 501)
PASSES = (408, 425, 429)
"""HTTP statuses (RFC 9110): whom it does not let in, what it does not have, what passes like any 5xx."""


def in_path(uid: str) -> str:
    """A UID, which a scanner may have made up, as one segment of an address."""
    return quote(uid, safe="")


@final
class WebLine:
    """Opens sessions with one service."""

    def __init__(self, settings: WebDestination, timeout_s: float, tls: TlsFiles, variable: Variable) -> None:
        self.settings = settings
        self._timeout_s = timeout_s
        self._tls = tls
        self._variable = variable

    @property
    def name(self) -> str:
        """What commands and tables call the service."""
        return self.settings.name

    @contextmanager
    def client(self, most_bytes: int = LISTING_BYTES) -> Iterator[DICOMwebClient]:
        """A client whose answers are no longer than `most_bytes`, until the end of the block.

        Certificates and secrets are read anew, so that replaced ones count at once.

        Raises:
            DestinationUnreachable: our own certificates or secret cannot be used.
        """
        own = authorization(self.settings, self._variable)
        with open_session(self.name, self._context(), own, most_bytes) as session:
            # what is sent goes out in pieces anyway, and with its length, which every server understands
            client = DICOMwebClient(
                self.settings.url,
                session=session,
                timeout=self._timeout_s,
                chunk_size=sys.maxsize,
                permissive_uid=True,
            )
            client.set_http_retry_params(retry=False)
            yield client

    @contextmanager
    def asking(self, service: str) -> Iterator[None]:
        """Whatever goes wrong with one request of the block, in our own words.

        Raises:
            ServiceRefused: there is no such service at the address.
            DestinationRefused: we are not let in, or not understood.
            Silent: the request may have arrived, but there is no answer that says anything.
            DestinationUnreachable: nobody heard it.
        """
        try:
            yield
        except DestinationError:
            raise
        except Refusal as error:
            raise self._refusal(service, error.status) from error
        except requests.exceptions.InvalidJSONError as error:
            raise self._garbled(error) from error
        except requests.RequestException as error:
            raise self._trouble(error) from error
        except UNREADABLE as error:
            raise self._garbled(error) from error

    def _context(self) -> ssl.SSLContext | None:
        if not self.settings.tls:
            return None
        try:
            return client_context(self._tls)
        except TlsError as error:
            raise DestinationUnreachable(f"{self.name}: {error}") from error

    def _refusal(self, service: str, status: int) -> DestinationError:
        if status in NOT_LET_IN:
            words = "does not let us in; see user, secret_file and secret_env of this destination"
            return DestinationRefused(f"{self.name} {words} (HTTP {status})")
        if status in NOT_THERE:
            where = f"{service} at {self.settings.url}"
            return ServiceRefused(f"{self.name} offers no {where} (HTTP {status}); see url")
        if status in PASSES or status >= 500:
            return Silent(f"{self.name} cannot answer now (HTTP {status})")
        return ServiceRefused(f"{self.name} does not accept our request to {service} (HTTP {status})")

    def _garbled(self, error: Exception) -> Silent:
        return Silent(f"{self.name} gives an answer that is no DICOMweb ({type(error).__name__})")

    def _trouble(self, error: requests.RequestException) -> DestinationError:
        url = self.settings.url
        if isinstance(error, requests.exceptions.SSLError):
            return DestinationUnreachable(f"{self.name}: no TLS with {url}: {_why(error)}")
        reason = getattr(error.args[0], "reason", None) if error.args else None
        unheard = isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError)
        if unheard:
            return DestinationUnreachable(f"{self.name}: nobody answers at {url}")
        if isinstance(error, requests.Timeout):
            return Silent(f"{self.name} did not answer within {self._timeout_s:g} s")
        return Silent(f"{self.name} broke the connection off ({type(error).__name__})")


def _why(error: BaseException) -> str:
    """The library wraps what TLS said more than once."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, ssl.SSLError):
        within = getattr(seen, "reason", None) or next(iter(seen.args), None)
        seen = within if isinstance(within, BaseException) else None
    if isinstance(seen, ssl.SSLCertVerificationError):
        return f"its certificate is not believed: {seen.verify_message}"
    return str(seen.reason).replace("_", " ").lower() if seen is not None else "the handshake failed"
