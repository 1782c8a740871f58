"""The single things a process gives up. Each stands alone: what the system does not have is named."""

import ctypes
import os
import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_NO_NEW_PRIVS, _CAPBSET_DROP = 38, 24  # prctl(2)
_CAPABILITY_VERSION_3 = 0x20080522  # capset(2)
_MOST_CAPABILITIES = 64
_M_MMAP_THRESHOLD = -3  # malloc.h


@dataclass(frozen=True, slots=True)
class Protection:
    """One protection: empty `lack` if it holds, else why it does not."""

    name: str
    lack: str = ""


def taken(steps: Mapping[str, Callable[[], None]]) -> tuple[Protection, ...]:
    """Take each step, in order, and say of each whether it holds."""
    return tuple(_taken(name, step) for name, step in steps.items())


def _taken(name: str, step: Callable[[], None]) -> Protection:
    try:
        step()
    except OSError as error:
        return Protection(name, error.strerror or str(error))
    return Protection(name)


def no_new_privileges() -> None:
    """No program started from here gains rights that we do not have. Raises OSError."""
    _prctl(_NO_NEW_PRIVS, 1)


def no_core_dumps() -> None:
    """A crash writes no image of the memory. Raises OSError."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_memory(most_bytes: int) -> None:
    """Private writable memory; of address space frameworks reserve far more than they use. Raises OSError."""
    resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))


def return_large_blocks(from_bytes: int) -> None:
    """Have the C library give freed blocks of so many bytes, or more, back to the system at once.

    By default glibc raises this threshold to 32 MiB as blocks come and go, and keeps what lies below, for
    each thread (mallopt(3), M_MMAP_THRESHOLD); other C libraries have no such call and no such habit.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, from_bytes)


def no_capabilities(kept: int = 0) -> None:
    """Also for a process that root started: it then owns its files, and nothing else.

    `kept` is a mask of capabilities (linux/capability.h) that stay, if we have them. Raises OSError.
    """
    if os.geteuid() == 0:
        for capability in range(_MOST_CAPABILITIES):
            try:
                _prctl(_CAPBSET_DROP, capability)
            except OSError:
                break
    kept &= _permitted()
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    low, high = kept & 0xFFFFFFFF, kept >> 32
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(header, (ctypes.c_uint32 * 6)(low, low, 0, high, high, 0)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _permitted() -> int:
    """The capabilities this process has (proc(5))."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapPrm")), 16)


def _prctl(*arguments: int) -> None:
    """Call prctl(2). Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    padded = [ctypes.c_ulong(one) for one in (*arguments, 0, 0, 0, 0)[:5]]
    if libc.prctl(*padded) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
