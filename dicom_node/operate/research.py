"""A study without its patient, for research: `dicom-node export --deidentify`."""

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from dicom_node.archive import Archive
from dicom_node.deidentify.order import Answer, Order
from dicom_node.deidentify.pseudonyms import Pseudonyms
from dicom_node.errors import NodeError
from dicom_node.operate.export import by_series
from dicom_node.store import Store

_COMMAND = (sys.executable, "-P", "-m", "dicom_node.deidentify.process")


@dataclass(frozen=True, slots=True)
class Research:
    """Where and how to export.

    Attributes:
        folder: where to write; None for a dry run.
        key: of the pseudonyms (`deidentify.key`).
        private: the data directory.
        confined: whether images are decoded in a confined process.
    """

    folder: Path | None
    key: bytes
    private: Path
    confined: bool


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of it.

    Attributes:
        subject: the pseudonym of the patient.
        images: how many were written, or would be.
        unclear: how many of them do not say whether a name is burned into their pixels.
        left_out: the reasons why images stayed behind, and how many each.
    """

    subject: str
    images: int
    unclear: int
    left_out: Counter[str]


def export_for_research(
    store: Store, archive: Archive, study_instance_uid: str, research: Research
) -> Exported:
    """Write the current images of a study, de-identified, to `<series>/<image>.dcm`, both plain numbers.

    Our results stay here: a node that gets the images makes the same ones of them.

    Raises:
        NodeError: its images name several patients, or the process that exports them ended.
    """
    series = by_series(store, study_instance_uid)
    patients = {facts.patient_id.strip() for members in series for facts, _ in members}
    if len(patients) > 1:
        raise NodeError("the images of this study name several patients; such a study is not exported")
    subject = next(iter(patients), "") or study_instance_uid
    sources = [[archive.open(path) for _, path in members] for members in series]
    order = _order(sources, subject, research, archive)
    answers = _answers(order)
    exported = [answer for answer in answers if not answer.left_out]
    return Exported(
        subject=Pseudonyms(research.key, subject).patient,
        images=len(exported),
        unclear=sum(not answer.clear for answer in exported),
        left_out=Counter(answer.left_out for answer in answers if answer.left_out),
    )


def _order(sources: list[list[Path]], subject: str, research: Research, archive: Archive) -> Order:
    files = []
    for number, members in enumerate(sources, start=1):
        place = research.folder.resolve() / f"{number:03d}" if research.folder else None
        if place is not None:
            place.mkdir(parents=True, exist_ok=True)
        for count, source in enumerate(members, start=1):
            files.append((str(source.resolve()), str(place / f"{count:05d}.dcm") if place else ""))
    return Order(
        key=research.key.hex(),
        subject=subject,
        files=tuple(files),
        read=(str(archive.root.resolve()),),
        write=(str(research.folder.resolve()),) if research.folder else (),
        private=(str(research.private.resolve()),),
        confined=research.confined,
    )


def _answers(order: Order) -> list[Answer]:
    with subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
        _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        said, _ = process.communicate(f"{order.as_json()}\n")
    answers = [Answer.from_json(line) for line in said.splitlines()]
    if process.returncode != 0 or len(answers) != len(order.files):
        at = f"image {len(answers) + 1} of {len(order.files)}"
        raise NodeError(f"the process that exports ended at {at}; what was written before stays")
    return answers
