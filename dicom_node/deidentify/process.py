"""The process that decodes images for an export: strangers' bytes in C libraries, so it is confined."""

import sys
from pathlib import Path
from typing import TextIO

from dicom_node.analysis.confinement import confine
from dicom_node.confinement import Folders
from dicom_node.deidentify.order import Answer, Order


def main() -> None:
    """`python -m dicom_node.deidentify.process`: an `Order` comes in, an `Answer` for each image goes out."""
    order = Order.from_json(sys.stdin.readline())
    if order.confined:
        confine(Folders(_paths(order.read), _paths(order.write), _paths(order.private)), None)
    _work(order, sys.stdout)


def _paths(names: tuple[str, ...]) -> tuple[Path, ...]:
    return tuple(map(Path, names))


def _work(order: Order, answers: TextIO) -> None:
    # only now, for these load the libraries
    from dicom_node.deidentify.file import export_file
    from dicom_node.deidentify.pseudonyms import Pseudonyms
    from dicom_node.errors import NotExported

    pseudonyms = Pseudonyms(bytes.fromhex(order.key), order.subject)
    for source, target in order.files:
        try:
            answer = Answer("", export_file(Path(source), Path(target) if target else None, pseudonyms))
        except NotExported as error:
            answer = Answer(str(error), clear=False)
        answers.write(f"{answer.as_json()}\n")
        answers.flush()


if __name__ == "__main__":
    main()
