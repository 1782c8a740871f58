"""What the node says while it works: one line per event on stderr, with an action and never a patient.

    log = logger(__name__)
    with bound(study=uid, job=job.id):
        log.info("study-complete", slices=10, phases=20)

An action is a stable, hyphenated name that a site may search for; what varies goes beside it. Libraries are
heard from WARNING upward only, whatever our own level: below that, pynetdicom prints whole datasets.

Every process of ours calls `configure` first of all: structlog's default is to print on stdout, which
belongs to what a command answers and to what our processes tell each other.
"""

import logging
import re
import sys
import traceback
from typing import Any, TextIO

import structlog
from structlog.contextvars import bound_contextvars as bound
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, ExcInfo, Processor

__all__ = ["bound", "configure", "logger"]

_OURS = ("dicom_node", "__main__")  # the second is a module of ours that was started with `python -m`
_HANDLER = "dicom-node"
_WITHHELD = "(withheld)"
_FORBIDDEN = re.compile(r"patient|birth|physician|operator|otherids|address|telephone|dataset|header")


def logger(name: str) -> BoundLogger:
    """The logger of one of our modules; `bound` adds what every line inside a `with` block shall say."""
    ours: BoundLogger = structlog.get_logger(name)
    return ours


def configure(level: str = "info", style: str = "console", stream: TextIO | None = None) -> None:
    """Send our lines, the libraries' and Python's warnings to `stream` (default: stderr). Again: anew.

    Args:
        level: the least severe of our own lines that is written: debug, info, warning or error.
        style: "console" for people, "json" for machines, one object per line.
        stream: where the lines go.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.set_name(_HANDLER)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[*_common(), _library],
            processors=[ProcessorFormatter.remove_processors_meta, _renderer(style, handler.stream)],
        )
    )
    _take_over(handler, level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_common(),
            structlog.processors.EventRenamer("action"),
            _withhold_patient,
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=BoundLogger,
    )


def _take_over(handler: logging.Handler, level: str) -> None:
    """Make `handler` the one that writes, for us from `level` upward, for libraries from WARNING."""
    root = logging.getLogger()
    for old in [one for one in root.handlers if one.get_name() == _HANDLER]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)


def _common() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.ExceptionRenderer(_exception),
    ]


def _renderer(style: str, stream: TextIO) -> Processor:
    if style == "json":
        return structlog.processors.JSONRenderer(default=str)
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(),
        event_key="action",
        timestamp_key="at",
        exception_formatter=structlog.dev.plain_traceback,
    )


def _withhold_patient(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Blank what identifies a patient: by key, and by type for datasets and person names."""
    for key, value in event.items():
        named = _FORBIDDEN.search(key.lower().replace("_", ""))
        if named or _of_pydicom(value):
            event[key] = _WITHHELD
    return event


def _of_pydicom(value: object) -> bool:
    """A dataset, an element, a name: told without loading the library where nobody else does."""
    return any(kind.__module__.partition(".")[0] == "pydicom" for kind in type(value).__mro__)


def _library(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """A library's line: its text beside the action `library`."""
    event["message"] = _without_values(str(event.pop("event")))
    event["action"] = "library"
    return event


def _without_values(text: str) -> str:
    """Libraries quote the value they complain about, and that value may be a name.

    From a line's first quotation mark to its last, since a name may contain one; an apostrophe opens nothing.
    """
    return re.sub(r"(?<!\w)(['\"]).*\1", _WITHHELD, text)


def _exception(exc_info: ExcInfo) -> str:
    """The traceback; messages without the values they quote."""
    parts: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        frames = "".join(traceback.format_tb(error.__traceback__))
        parts.append(f"{frames}{type(error).__name__}: {_without_values(str(error))}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nwhich came of\n".join(parts)
