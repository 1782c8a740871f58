"""How the receiver process starts: confined first, while it has one thread and no library, then at work.

It parses strangers' bytes. Whoever takes it over should find no program to run, nobody to call, and no file
but those of the archive and of requests for commitment to change. Each protection stands alone, as the
worker's do.
"""

import contextlib
import json
import os
import resource
import sys
from dataclasses import asdict
from functools import partial

from dicom_node.confinement import (
    Folders,
    Protection,
    landlock,
    limit_memory,
    no_capabilities,
    no_core_dumps,
    no_new_privileges,
    return_large_blocks,
    seccomp,
    taken,
)
from dicom_node.receiver.settings import ReceiverSettings

PROBE = "--probe"
"""The argument that has the process say what holds here, and leave."""
_MEGABYTE = 1_000_000
_AT_REST_BYTES = 512 * _MEGABYTE
_PER_ASSOCIATION_BYTES = 32 * _MEGABYTE  # the stacks of its threads count in full
_OBJECTS_AT_ONCE = 4  # twice the largest may be coming in, one more be unpacked, and buffers grow in steps
_LARGE_BYTES = 4 * _MEGABYTE  # longer than an image; every thread keeps what is shorter for its next one
_FILES_AT_REST, _FILES_PER_ASSOCIATION = 1024, 5
_TAKE_LOW_PORTS = 1 << 10  # CAP_NET_BIND_SERVICE: 104 is DICOM's registered port


def main(arguments: list[str]) -> int:
    """Confine this process to what the first line of its input asks for, and receive; the exit status."""
    stdin = os.fdopen(0, "rb", buffering=0, closefd=False)  # the rest stays where `select` sees it
    settings = ReceiverSettings.from_json(stdin.readline())
    if PROBE in arguments:
        protections = (*confine(settings), *seal(settings))
        json.dump([asdict(one) for one in protections], sys.stdout)
        return 0
    with contextlib.suppress(OSError):  # storing says why, to each sender
        for folder in (settings.archive_root, settings.requests_root):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return_large_blocks(_LARGE_BYTES)
    return _receive(settings, confine(settings))


def _receive(settings: ReceiverSettings, protections: tuple[Protection, ...]) -> int:
    # from here on libraries start threads
    from dicom_node.receiver import __main__ as receiver

    return receiver.main(settings, protections)


def confine(settings: ReceiverSettings) -> tuple[Protection, ...]:
    """Give up what receiving needs none of; call it while there is one thread, before the port is taken."""
    if not settings.confined:
        return ()
    memory_mb, files = _memory_mb(settings), _open_files(settings)
    return taken(
        {
            f"at most {memory_mb} MB of memory": partial(limit_memory, memory_mb * _MEGABYTE),
            f"at most {files} open files": partial(_limit_open_files, files),
            "no core dumps": no_core_dumps,
            "no privilege can be gained": no_new_privileges,
            "no capability but to take a port below 1024": partial(no_capabilities, _TAKE_LOW_PORTS),
            "archive and requests alone writable, nobody can be called": partial(
                landlock.restrict, _folders(settings), may_listen=True
            ),
        }
    )


def seal(settings: ReceiverSettings) -> tuple[Protection, ...]:
    """What can only be given up when the port is taken; holds for threads that run already, too."""
    if not settings.confined:
        return ()
    forbid = partial(seccomp.forbid, "socket", "execve", "execveat")
    return taken({"no further socket, no other program": forbid})


def _folders(settings: ReceiverSettings) -> Folders:
    """Certificates are replaced by new files, or links to them: it is their folders that must be readable."""
    named = [path for path in settings.tls_files.paths for path in (path, path.resolve())]
    archive, requests = settings.archive_root.resolve(), settings.requests_root.resolve()
    return Folders(
        tuple(dict.fromkeys(path.parent for path in named)), (archive, requests), (archive.parent,)
    )


def _memory_mb(settings: ReceiverSettings) -> int:
    threads = settings.max_associations * _PER_ASSOCIATION_BYTES
    return (_AT_REST_BYTES + threads + _OBJECTS_AT_ONCE * settings.max_object_bytes) // _MEGABYTE


def _open_files(settings: ReceiverSettings) -> int:
    return _FILES_AT_REST + settings.max_associations * _FILES_PER_ASSOCIATION


def _limit_open_files(most: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits = [most if limit == resource.RLIM_INFINITY else min(limit, most) for limit in (soft, hard)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[0], limits[1]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
