"""DCMTK's senders."""

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.peers.presence import program


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program said, and how it ended."""

    code: int
    output: str

    @property
    def statuses(self) -> list[str]:
        """The answers to the objects sent, in order: "Success", or what the peer said instead."""
        mark = "Received Store Response ("
        return [line.split(mark)[1].rstrip(")") for line in self.output.splitlines() if mark in line]


def storescu(
    files: Iterable[Path],
    port: int,
    called: str,
    calling: str = "STORESCU",
    options: Sequence[str] = (),
) -> Ran:
    """Send files in one association, in the given order, to a peer on this machine.

    `options` go to storescu as they are: "-nh" carries on after a refused object, "-xs" proposes JPEG Lossless.
    """
    names = [str(path) for path in files]
    return _run("storescu", "-v", "-aet", calling, "-aec", called, *options, "127.0.0.1", str(port), *names)


def echoscu(port: int, called: str, calling: str = "ECHOSCU", options: Sequence[str] = ()) -> Ran:
    """Send one C-ECHO; `options` go to echoscu as they are."""
    titles = ("-aet", calling, "-aec", called)
    return _run("echoscu", "-v", "-to", "10", *titles, *options, "127.0.0.1", str(port))


def _run(name: str, *arguments: str) -> Ran:
    done = subprocess.run(
        [program(name), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=300,
        check=False,
    )
    return Ran(done.returncode, done.stdout)
