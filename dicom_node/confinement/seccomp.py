"""System calls that fail: a filter (seccomp(2)) in the few instructions it takes."""

import ctypes
import errno
import os
import platform
from typing import Final

_SET_MODE_FILTER, _ALL_THREADS = 1, 1  # linux/seccomp.h
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # linux/filter.h
_NUMBER, _ARCHITECTURE = 0, 4  # offsets in struct seccomp_data
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000  # linux/seccomp.h
_SECOND_TABLE = 0x40000000  # x32 calls go by other numbers

_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""The kernel's name of an architecture (linux/audit.h)."""
_CALLS: Final = {
    "x86_64": {"socket": 41, "execve": 59, "execveat": 322, "seccomp": 317},
    "aarch64": {"socket": 198, "execve": 221, "execveat": 281, "seccomp": 277},
}
_IO_URING_SETUP = 425  # on every architecture; a ring could open sockets past the filter


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.POINTER(_Instruction)))


def forbid(*calls: str) -> None:
    """Have these calls fail with EACCES from now on, in every thread; `no_new_privileges` must come first.

    Raises:
        OSError: this system has no such filter, or we do not know its numbers.
    """
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no filter is written for {machine}")
    steps = _filter(_ARCHITECTURES[machine], [_CALLS[machine][call] for call in calls])
    program = _Program(len(steps), (_Instruction * len(steps))(*steps))
    libc = ctypes.CDLL(None, use_errno=True)
    numbers = [ctypes.c_long(one) for one in (_CALLS[machine]["seccomp"], _SET_MODE_FILTER, _ALL_THREADS)]
    answer = int(libc.syscall(*numbers, ctypes.byref(program)))
    if answer > 0:
        raise OSError(errno.EBUSY, f"thread {answer} has a filter of its own")
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _filter(architecture: int, forbidden: list[int]) -> list[_Instruction]:
    tests = [*forbidden, _IO_URING_SETUP]
    steps = [
        _Instruction(_LOAD, 0, 0, _ARCHITECTURE),
        _Instruction(_JUMP_IF_EQUAL, 1, 0, architecture),
        _Instruction(_RETURN, 0, 0, _KILL),
        _Instruction(_LOAD, 0, 0, _NUMBER),
        _Instruction(_JUMP_IF_AT_LEAST, len(tests) + 1, 0, _SECOND_TABLE),
    ]
    steps += [_Instruction(_JUMP_IF_EQUAL, len(tests) - at, 0, call) for at, call in enumerate(tests)]
    return [*steps, _Instruction(_RETURN, 0, 0, _ALLOW), _Instruction(_RETURN, 0, 0, _FAIL | errno.EACCES)]
