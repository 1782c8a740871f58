"""What each side has made durable before it says Success, as strace sees it.

kill -9 leaves the system's memory as it is; a power cut does not. What was not synced before the answer may then be
lost, acknowledged or not.
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dicom_node.archive.journal import FOLDER as JOURNAL
from tests.peers.presence import missing, program
from tests.side_by_side.sending import send, write_study
from tests.side_by_side.sides import Side, running

_CALLS = "fsync,fdatasync,pwritev2,rename,renameat,renameat2,sendto,sendmsg,write,writev"
_SYNC = re.compile(r"f(?:data)?sync\(\d+<([^>]+)>(?:\(deleted\))?(?:\)\s+= 0| <unfinished)")
_ENTRY = re.compile(r"pwritev2\(\d+<[^>]*/journal/\d>.*RWF_DSYNC")
_ANSWER = re.compile(r"(?:sendto|sendmsg|write|writev)\(\d+<TCP:\[")


@dataclass(frozen=True, slots=True)
class Synced:
    """Of `images` acknowledged: before how many answers the file, its folder, and an index were synced.

    `journal`: before how many the whole image was, in a journal.
    """

    images: int
    file: int
    folder: int
    index: int
    journal: int


def syncs(side: Side, folder: Path) -> Synced:
    """Send one study while strace looks on. Every image has its own answer, and nobody else is served."""
    study = write_study(folder / "study", 0)
    log = folder / "strace"
    with running(side):
        tracer = _trace(side.pid, log)
        answers = send(side, list(study))
        tracer.terminate()
        tracer.communicate()
    before = list(_before_answers(log.read_text()))
    return Synced(
        sum(one.stored for one in answers),
        *(sum(kind in synced for synced in before) for kind in ("file", "folder", "index", "journal")),
    )


def _trace(pid: int, log: Path) -> subprocess.Popen[str]:
    command = [
        program("strace"),
        "-f",
        "-yy",
        "-s",
        "0",
        "-e",
        f"trace={_CALLS}",
        "-o",
        str(log),
        "-p",
        str(pid),
    ]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    if "attached" not in (said := tracer.stderr.readline()):
        tracer.communicate()
        missing(f"processes may not be traced here: {said.strip()}")
    return tracer


def _before_answers(trace: str) -> Iterator[set[str]]:
    """What was synced between one answer on the wire and the next, where anything was."""
    synced: set[str] = set()
    for line in trace.splitlines():
        if found := _SYNC.search(line):
            synced.add(_kind(Path(found.group(1))))
        elif _ENTRY.search(line):
            synced.add("journal")
        elif synced and _ANSWER.search(line):
            yield synced
            synced = set()


def _kind(path: Path) -> str:
    if path.parent.name == JOURNAL or (path / JOURNAL).is_dir():
        return "what the journal held"
    if path.is_dir():
        return "folder"
    return "index" if path.name.startswith(("index", "node.db")) else "file"
