"""What the configuration's keys are called, and how to say that one of them is wrong."""

import ast
import difflib
import inspect
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings

from dicom_node.config_values import BY_STORE, BY_WEB

_NAMES_THE_FILE = "config"  # DICOM_NODE_CONFIG, which the command line reads


def known_keys(section: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """Every dotted key and its one-sentence explanation; the keys of a list's entries among them."""
    keys: dict[str, str] = {}
    meanings = _meanings(section)
    for name, field in section.model_fields.items():
        keys[f"{prefix}{name}"] = meanings.get(name, "")
        for inner in _sections(field.annotation):
            keys |= known_keys(inner, f"{prefix}{name}.")
    return keys


def _meanings(section: type[BaseModel]) -> dict[str, str]:
    """The sentence below each field, from the source: few ask, and to keep it would slow every command."""
    found: dict[str, str] = {}
    for ours in [kind for kind in reversed(section.__mro__) if kind not in BaseSettings.__mro__]:
        definition = ast.parse(inspect.getsource(ours)).body[0]
        assert isinstance(definition, ast.ClassDef)
        for field, below in pairwise(definition.body):
            match field, below:
                case ast.AnnAssign(ast.Name(name)), ast.Expr(ast.Constant(str(sentence))):
                    found[name] = inspect.cleandoc(sentence)
    return found


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    """The sections that a value may be, or be a list of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _sections(inner)


def explain(error: ValidationError, section: type[BaseModel], path: Path | None) -> str:
    """What is wrong with a configuration, a line per key; for an unknown key the nearest known one."""
    lines = [f"{path or 'configuration'}:"]
    for problem in error.errors():
        parts = [part for part in problem["loc"] if part not in (BY_STORE, BY_WEB)]
        where = ".".join(str(part) for part in parts) or "(whole file)"
        if problem["type"] == "extra_forbidden":
            named = ".".join(part for part in parts if isinstance(part, str))
            lines.append(f"  {where}: unknown key{_nearest(named, section)}")
        else:
            lines.append(f"  {where}: {problem['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)


def stray_variables(environment: Mapping[str, str], prefix: str, section: type[BaseModel]) -> str:
    """A sentence on the first variable that looks like a setting and is none; empty if there is none.

    A misspelt section would otherwise be passed over: only what is in a known one is checked there.
    """
    for variable in sorted(environment):
        key = variable.upper().removeprefix(prefix).lower().replace("__", ".")
        known = key.split(".")[0] in section.model_fields or key == _NAMES_THE_FILE
        if variable.upper().startswith(prefix) and not known:
            return f"environment: {variable} is no setting{_nearest(key, section)}"
    return ""


def _nearest(key: str, section: type[BaseModel]) -> str:
    close = difflib.get_close_matches(key, known_keys(section), n=1, cutoff=0.4)
    return f"; did you mean {close[0]}?" if close else ""
