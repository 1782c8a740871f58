"""Who we are to a DICOMweb service. The secret is read when it is needed, and kept nowhere."""

import base64
import os
import stat
from collections.abc import Callable
from pathlib import Path

from requests import PreparedRequest
from requests.auth import AuthBase

from dicom_node.config_destinations import WebDestination
from dicom_node.errors import DestinationUnreachable

Variable = Callable[[str], str | None]
"""Looks a name up in the environment."""
_LONGEST_BYTES = 16_384
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Authorization(AuthBase):
    """The Authorization header (RFC 6750, RFC 7617), put on each request and on nothing that is logged."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = self._value
        return request


def authorization(settings: WebDestination, variable: Variable) -> Authorization | None:
    """What a request to this destination bears; None if it wants nothing.

    Raises:
        DestinationUnreachable: the secret is not there, is no secret, or others can read it.
    """
    secret = _secret(settings, variable)
    if secret is None:
        return None
    if not secret or not secret.isprintable() or not (settings.user or secret.isascii()):
        raise DestinationUnreachable(f"{settings.name}: its secret is empty, or not one line of text")
    if settings.user is None:
        return Authorization(f"Bearer {secret}")
    pair = f"{settings.user}:{secret}".encode()
    return Authorization(f"Basic {base64.b64encode(pair).decode()}")


def _secret(settings: WebDestination, variable: Variable) -> str | None:
    if settings.secret_file is not None:
        return _read(settings.name, settings.secret_file)
    if settings.secret_env is None:
        return None
    secret = variable(settings.secret_env)
    if secret is None:
        unset = f"the environment has no {settings.secret_env}, which secret_env names"
        raise DestinationUnreachable(f"{settings.name}: {unset}")
    return secret.strip()


def _read(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise DestinationUnreachable(f"{name}: others can read {path}; chmod 600 {path}")
            return file.read(_LONGEST_BYTES).decode().strip()
    except OSError as error:
        raise DestinationUnreachable(f"{name}: {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DestinationUnreachable(f"{name}: {path} holds no text") from error
