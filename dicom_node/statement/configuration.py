"""Addresses and parameters, from the schema of config.yaml."""

from collections.abc import Iterator

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from dicom_node.config import Settings
from dicom_node.config_keys import known_keys
from dicom_node.statement.markdown import code, table

_HEAD = """\
## 5. Network interfaces and configuration

One TCP port over IPv4 or IPv6, DICOM upper layer (PS3.8). Host names of destinations are looked up by the
operating system. The AE title of a peer is bound to its address in two places: `receive.callers` for
those who may send, and `destinations` for those who get results. Every parameter below stands in
`config.yaml`, and counts from the next start.
"""
_SECTIONS = ("receive", "complete", "report", "destinations", "deliver")


def configuration() -> Iterator[str]:
    """The parameters with an effect on the network or on what is written."""
    yield _HEAD
    defaults = dict(_defaults(Settings))
    rows = (
        (code(key), meaning, code(defaults.get(key, "")))
        for key, meaning in known_keys(Settings).items()
        if key.partition(".")[0] in _SECTIONS and "." in key
    )
    yield from table(("parameter", "meaning", "default"), rows)


def _defaults(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _defaults(inner, f"{prefix}{name}.")
        elif field.default is not PydanticUndefined:
            yield f"{prefix}{name}", _written(field.default)


def _written(value: object) -> str:
    """As config.yaml would have it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, float):
        return f"{value:g}"
    return "[]" if value == () else str(value)
