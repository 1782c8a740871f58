"""How the worker process starts: confined first, while it has one thread and no library, then at work."""

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from dicom_node.analysis.confinement import confine
from dicom_node.confinement import Folders, Protection

_CACHES = ("TMPDIR", "MPLCONFIGDIR", "KERAS_HOME", "XDG_CACHE_HOME")
"""Where libraries write by themselves."""


def main() -> None:
    """`python -m dicom_node.analysis.confined [what to confine to] -- [the worker's own arguments]`."""
    parser = argparse.ArgumentParser(prog="python -m dicom_node.analysis.confined", description=__doc__)
    parser.add_argument("--read", type=Path, action="append", default=[], help="folder it may read")
    parser.add_argument("--write", type=Path, action="append", default=[], help="folder it may change")
    parser.add_argument("--private", type=Path, action="append", default=[], help="folder to keep closed")
    parser.add_argument("--scratch", type=Path, help="folder for what libraries write by themselves")
    parser.add_argument("--memory-mb", type=int, help="the most memory it may take, in 10^6 bytes")
    parser.add_argument("--probe", action="store_true", help="say what holds here, and leave")
    parser.add_argument("worker", nargs="*", help="arguments of dicom_node.analysis.worker")
    given = parser.parse_args()
    if given.scratch is not None:
        os.environ.update(dict.fromkeys(_CACHES, str(given.scratch)))
    folders = Folders(tuple(given.read), tuple(given.write), tuple(given.private))
    protections = confine(folders, given.memory_mb)
    if given.probe:
        json.dump([asdict(one) for one in protections], sys.stdout)
        return
    _work(given.worker, protections)


def _work(arguments: list[str], protections: tuple[Protection, ...]) -> None:
    # from here on libraries start threads
    from dicom_node.analysis import worker

    worker.main(arguments, protections)


if __name__ == "__main__":
    main()
