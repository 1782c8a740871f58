"""Where results go: by C-STORE, or, where there is a `url`, by DICOMweb."""

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from dicom_node.config_sections import Addressee, Destination
from dicom_node.config_values import BY_STORE, BY_WEB, is_loopback


def _url(value: str) -> str:
    """The root of a DICOMweb service, without a slash at its end (PS3.18 8.2)."""
    try:
        parts = urlsplit(value)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or parts.query or parts.fragment:
        raise ValueError("is the root of a DICOMweb service, for example https://pacs.example.org/dicom-web")
    if parts.username or parts.password:
        raise ValueError("must not hold a user or password; write user and secret_file")
    return value.rstrip("/")


class WebDestination(Addressee):
    """Where results go by STOW-RS (PS3.18 10.5)."""

    url: Annotated[str, AfterValidator(_url)]
    """The root of its DICOMweb service; with https the node believes tls.authorities alone."""
    user: Annotated[str, Field(pattern=r"^[^:\x00-\x1f]+$")] | None = None
    """The user it knows us as. Empty: the secret is a bearer token."""
    secret_file: Path | None = None
    """A file with the user's password, or the bearer token; nobody else may read it."""
    secret_env: str | None = None
    """The environment variable with the same, instead of a file."""
    proof: Literal["auto", "retrieve", "query", "none"] = "auto"
    """How it proves that it holds what it took; `auto` takes the strongest way it offers."""

    @property
    def tls(self) -> bool:
        """Whether we speak TLS with it."""
        return self.url.startswith("https:")

    @model_validator(mode="after")
    def _keeps_its_secret(self) -> "WebDestination":
        secrets = [one for one in (self.secret_file, self.secret_env) if one is not None]
        if len(secrets) > 1:
            raise ValueError("has secret_file and secret_env; one of them is enough")
        if self.user is not None and not secrets:
            raise ValueError("has a user, which needs secret_file or secret_env")
        if secrets and not self.tls and not is_loopback(urlsplit(self.url).hostname or ""):
            raise ValueError("would send its secret unprotected; use https")
        return self


def _sort(value: Any) -> str:
    """A mapping from a file, or one of our own values."""
    web = "url" in value if isinstance(value, dict) else isinstance(value, WebDestination)
    return BY_WEB if web else BY_STORE


AnyDestination = Annotated[
    Annotated[Destination, Tag(BY_STORE)] | Annotated[WebDestination, Tag(BY_WEB)], Discriminator(_sort)
]
"""What an entry of `destinations` may be."""
