"""HTTP as it must be under the DICOMweb client.

Left alone, `requests` believes the authorities it ships with, follows redirects with a GET in place of a
POST, takes proxies and passwords from the user's environment, and reads answers of any length; and
dicomweb-client names the host without its port, and knows JSON by one literal Content-Type.
"""

import io
import ssl
import time
from collections.abc import Mapping
from typing import Any, final

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from dicom_node.archive.part10 import IMPLEMENTATION_VERSION
from dicom_node.delivery.web.credentials import Authorization
from dicom_node.errors import DestinationRefused, DestinationUnreachable

_PIECE_BYTES = 65_536
LEAST_BYTES_PER_S = 10_000
"""An answer that comes more slowly, after the time-out for its first byte, is not waited for."""
_JSON = ("application/dicom+json", "application/json")


class Silent(DestinationUnreachable):
    """The request may have arrived; the answer did not, or cannot be used."""


class Refusal(Exception):
    """The service answers with an HTTP status that means an error."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.body = body


def open_session(
    name: str, context: ssl.SSLContext | None, authorization: Authorization | None, most_bytes: int
) -> requests.Session:
    """A session with one service, for one piece of work; to be closed."""
    session = requests.Session()
    session.trust_env = False
    session.auth = authorization
    session.headers = requests.structures.CaseInsensitiveDict(
        {
            "User-Agent": IMPLEMENTATION_VERSION,
            "Accept": "application/dicom+json",
            "Accept-Encoding": "identity",
        }
    )
    session.adapters.clear()
    session.mount("https://" if context else "http://", _Adapter(name, context, most_bytes))
    return session


@final
class _Adapter(HTTPAdapter):
    """Reads every answer whole, within bounds, before anybody looks at it."""

    def __init__(self, name: str, context: ssl.SSLContext | None, most_bytes: int) -> None:
        self._name = name
        self._context = context
        self._most_bytes = most_bytes
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)

    def cert_verify(self, conn: Any, url: str, verify: object, cert: object) -> None:
        """Our context has its authorities; the library's own would be added to them."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.headers.pop("Host", None)
        if isinstance(request.body, bytes):  # in pieces, each with a time-out of its own
            request.body = io.BytesIO(request.body)
        response = super().send(request, *args, **{**kwargs, "stream": True})
        if 300 <= response.status_code < 400:
            response.close()
            raise DestinationRefused(f"{self._name} answers with HTTP {response.status_code}; {_MOVED}")
        body = self._body(response.raw, float(kwargs["timeout"]))
        if response.status_code >= 400:
            raise Refusal(response.status_code, body)
        response.raw = io.BytesIO(body)
        response.headers.update(_plain_type(response.headers))
        return response

    def _body(self, raw: BaseHTTPResponse, timeout_s: float) -> bytes:
        body = bytearray()
        began_s = time.monotonic()
        try:
            while piece := raw.read1(_PIECE_BYTES, decode_content=True):
                body += piece
                if len(body) > self._most_bytes:
                    most = f"{self._most_bytes // 1_000_000} MB"
                    raise Silent(f"{self._name} answers with more than {most}, where less is right")
                if time.monotonic() - began_s > timeout_s + len(body) / LEAST_BYTES_PER_S:
                    raise Silent(f"{self._name} takes too long over its answer")
        except (HTTPError, OSError) as error:
            raise Silent(f"{self._name} broke off in its answer ({type(error).__name__})") from error
        finally:
            raw.close()
        return bytes(body)


_MOVED = "redirects are not followed: write the address it is served at as url"


def _plain_type(headers: Mapping[str, str]) -> dict[str, str]:
    """The media type of JSON without its parameters."""
    plain = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return {"Content-Type": plain} if plain in _JSON else {}
