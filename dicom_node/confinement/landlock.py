"""Which files a process may see and change, by the kernel's Landlock (landlock(7)), without a library."""

import ctypes
import errno
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_ASK_VERSION, _PATH_BENEATH = 1, 1
_TCP_BIND, _TCP_CONNECT = 1, 2  # version 4
_ABSTRACT_SOCKETS_AND_SIGNALS = 3  # version 6
_ROOT = Path(__file__).parents[2]
_PACKAGES = ("dicom_node", "models", "pipeline", "reports", ".git")
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc", "/opt", "/proc", "/sys", "/dev/random", "/dev/urandom")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/shm")  # noqa: S108 - shared memory of libraries


@dataclass(frozen=True, slots=True)
class Folders:
    """What of the file system a process needs.

    Attributes:
        read: what it reads, for example images and model.
        write: what it changes, and reads, too.
        private: folders of which it must read nothing else, even where its program lies around them.
    """

    read: tuple[Path, ...]
    write: tuple[Path, ...]
    private: tuple[Path, ...]


class Access(IntFlag):
    """The kernel's access rights (linux/landlock.h)."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    CHANGE_DIR = 0x1FF0  # remove and make whatever lies in a folder
    REFER = 1 << 13  # version 2
    TRUNCATE = 1 << 14  # version 3
    DEVICE = 1 << 15  # version 5


READ = Access.EXECUTE | Access.READ_FILE | Access.READ_DIR
WRITE = READ | Access.WRITE_FILE | Access.CHANGE_DIR | Access.REFER | Access.TRUNCATE | Access.DEVICE
_OF_FILES = Access.EXECUTE | Access.READ_FILE | Access.WRITE_FILE | Access.TRUNCATE | Access.DEVICE
_SINCE = ((2, Access.REFER), (3, Access.TRUNCATE), (5, Access.DEVICE))


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """The version of Landlock this kernel speaks. Raises OSError if it has none, or it is switched off."""
    return _call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION))


def restrict(folders: Folders, *, may_listen: bool = False) -> None:
    """Let this thread see the system, the program and `folders`, change what it may, and nothing else.

    It cannot call anybody by TCP, nor take a port unless it `may_listen`.

    Raises:
        OSError: the kernel has no Landlock.
    """
    known = version()
    handled = WRITE
    for since, right in _SINCE:
        if known < since:
            handled &= ~right
    net = (_TCP_CONNECT if may_listen else _TCP_CONNECT | _TCP_BIND) if known >= 4 else 0
    scoped = _ABSTRACT_SOCKETS_AND_SIGNALS if known >= 6 else 0
    rules = _Ruleset(handled, net, scoped)
    size = ctypes.sizeof(rules) if known >= 6 else 16 if known >= 4 else 8
    ruleset = _call(_CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0))
    try:
        for path, access in _rights(folders):
            _allow(ruleset, path, access & handled)
        _call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _rights(folders: Folders) -> Iterator[tuple[Path, Access]]:
    for path in folders.write:
        yield path, WRITE
    for path in (*map(Path, _DEVICES), *Path("/dev").glob("nvidia*")):
        yield path, WRITE
    for path in (*folders.read, *map(Path, _SYSTEM), *(_ROOT / name for name in _PACKAGES)):
        yield path, READ
    for path in folders.private:
        yield path, Access.READ_DIR  # a new folder is made durable by syncing the one it lies in
    for path in _program():
        around = any(private.resolve().is_relative_to(path.resolve()) for private in folders.private)
        # importing lists the folders on the way; their other files stay closed
        yield path, Access.READ_DIR if around else READ


def _program() -> Iterable[Path]:
    """Where Python and its libraries lie."""
    yield from map(Path, dict.fromkeys((sys.prefix, sys.base_prefix, sys.exec_prefix)))
    yield Path(sys.executable).resolve().parent
    yield from (Path(entry) for entry in sys.path if entry)


def _allow(ruleset: int, path: Path, access: Access) -> None:
    try:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no right
    try:
        rights = access if path.is_dir() else access & _OF_FILES
        rule = ctypes.byref(_Beneath(rights, folder))
        _call(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(folder)


def _call(number: int, *arguments: object) -> int:
    if not sys.platform.startswith("linux"):
        raise OSError(errno.ENOSYS, "only Linux has Landlock")
    libc = ctypes.CDLL(None, use_errno=True)
    answer = int(libc.syscall(ctypes.c_long(number), *arguments))
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer
