"""The receiver at work: settings as one line on stdin, events as lines on stdout.

`python -m dicom_node.receiver.confined` reads the settings, confines the process and calls `main`.
Further lines on stdin are transactions on which a report may come, {"expect": "2.25.1"}, and reports of our
own for whoever asked for commitment: {"tell": {"name": ..., "association": ..., "failed": {UID: reason}}}.
Ends when stdin ends, or on SIGTERM or SIGINT: objects being stored are finished and answered first.
"""

import gc
import json
import logging
import os
import select
import signal
import warnings
from functools import partial

from dicom_node.archive import Archive
from dicom_node.confinement import Protection
from dicom_node.errors import TlsError
from dicom_node.receiver.acceptor import Acceptor
from dicom_node.receiver.confined import seal
from dicom_node.receiver.outbox import LogToOutbox, Outbox
from dicom_node.receiver.reports import Expected
from dicom_node.receiver.settings import ReceiverSettings
from dicom_node.receiver.settling import settling_at
from dicom_node.receiver.telling import Telling

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_LAST_LINES_S = 5.0


def main(settings: ReceiverSettings, protections: tuple[Protection, ...]) -> int:
    """Run the receiver; the exit status is 0, or 1 if it could not listen.

    `protections` are those this process was started with.
    """
    outbox = Outbox(_private_stdout())
    _listen_to_libraries(outbox)
    archive = Archive(settings.archive_root, settings.reserve_bytes)
    expected = Expected()
    complain = partial(_complain, outbox)
    settling = settling_at(archive, settings.journal_bytes, complain)
    try:
        acceptor = Acceptor(settings, archive, outbox, expected, settling)
    except (OSError, TlsError) as error:
        outbox.put("failed", reason=_why_not(error, settings))
        outbox.close(_LAST_LINES_S)
        return 1
    _say_what_lacks(outbox, (*protections, *seal(settings)))
    wake = _wake_on_signals()
    gc.freeze()  # what is there now stays: the collector need not look through it again and again
    if settling is not None:
        settling.start()
    acceptor.start()
    outbox.put("listening", port=acceptor.port)
    _listen_until_the_end(wake, expected, acceptor.telling)
    acceptor.stop()
    if settling is not None:
        settling.stop()
    outbox.close(_LAST_LINES_S)
    return 0


def _complain(outbox: Outbox, message: str) -> None:
    outbox.put("log", level="error", message=message)


def _why_not(error: OSError | TlsError, settings: ReceiverSettings) -> str:
    if isinstance(error, TlsError):
        return str(error)
    return f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}"


def _say_what_lacks(outbox: Outbox, protections: tuple[Protection, ...]) -> None:
    for one in protections:
        if one.lack:
            outbox.put("log", level="warning", message=f"not held here: {one.name} ({one.lack})")


def _private_stdout() -> int:
    """A descriptor that nobody else can print to; what is printed goes to stderr."""
    descriptor = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)
    return descriptor


def _listen_to_libraries(outbox: Outbox) -> None:
    warnings.filterwarnings("ignore", module="pydicom")
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    logger = logging.getLogger("pynetdicom")
    logger.setLevel(logging.ERROR)  # a UID with a leading zero is a warning, and half of all scanners
    logger.propagate = False
    logger.addHandler(LogToOutbox(outbox))


def _wake_on_signals() -> int:
    """A descriptor that becomes readable on SIGTERM or SIGINT. No lock is touched in a signal handler."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return readable


def _listen_until_the_end(wake: int, expected: Expected, telling: Telling) -> None:
    heard = b""
    while True:
        ready, _, _ = select.select([_STDIN, wake], [], [])
        said = b"" if wake in ready else os.read(_STDIN, 65536)
        if not said:
            return
        *lines, heard = (heard + said).split(b"\n")
        for line in lines:
            match json.loads(line):
                case {"expect": transaction_uid}:
                    expected.add(str(transaction_uid))
                case {"tell": report}:
                    telling.tell(report)
