"""Which errors mean that memory did not suffice, whichever library says so."""

import errno

from models import OutOfMemory

_WORDS = ("allocat", "bad_alloc", "start new thread", "failed to map segment")


def is_shortage(error: BaseException) -> bool:
    """Whether `error`, or what it was raised from, is want of memory.

    SimpleITK says "Failed to allocate memory for image", the loader of shared libraries "cannot allocate
    memory in static TLS block" or "failed to map segment", each as an error of its own kind.
    """
    if isinstance(error, MemoryError | OutOfMemory):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    if isinstance(error, ImportError | RuntimeError | OSError) and _says_so(error):
        return True
    return error.__cause__ is not None and is_shortage(error.__cause__)


def _says_so(error: BaseException) -> bool:
    said = str(error).lower()
    return any(word in said for word in _WORDS)
