"""The process that decodes labelled studies: strangers' bytes in C libraries, so it is confined."""

import sys
from pathlib import Path
from typing import TextIO

from dicom_node.analysis.confinement import confine
from dicom_node.analysis.private_stdout import private_stdout
from dicom_node.confinement import Folders
from dicom_node.decoding.messages import Answer, Order, Task


def main() -> None:
    """`python -m dicom_node.decoding.process`: an `Order`, then `Task`s in; an `Answer` to each out."""
    answers = private_stdout()
    order = Order.from_json(sys.stdin.readline())
    if order.confined:
        read, private = (tuple(map(Path, names)) for names in (order.read, order.private))
        confine(Folders(read, (), private), order.memory_mb)
    _say(Answer(), answers)
    _work(sys.stdin, answers)


def _work(tasks: TextIO, answers: TextIO) -> None:
    # only now, for these load the libraries
    from dicom_node.decoding.working import answer_to

    for line in tasks:
        _say(answer_to(Task.from_json(line)), answers)


def _say(answer: Answer, answers: TextIO) -> None:
    answers.write(f"{answer.as_json()}\n")
    answers.flush()


if __name__ == "__main__":
    main()
