"""The same images to each side by DCMTK's storescu, and what each said to them."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydicom import dcmread

from dicom_node.delivery.content_digest import content_digest
from pipeline.phantom import Layout, Phantom, Scan, draw_heart, render, write_dicom
from tests.peers.presence import program
from tests.side_by_side.sides import Side

SCAN = Scan(slices=6, phases=16, matrix=(256, 256))
IMAGES = SCAN.slices * SCAN.phases
_MARK = "Received Store Response ("


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said to one file: DCMTK's word for the status; empty if there was no answer."""

    path: Path
    said: str

    @property
    def stored(self) -> bool:
        return self.said == "Success"


@cache
def _heart() -> Phantom:
    return render(draw_heart(1), SCAN)


def write_study(folder: Path, number: int) -> dict[Path, tuple[str, str]]:
    """The `number`th study of a run: file → its UID and the digest of its elements. 131 kB each."""
    folder.mkdir(parents=True)
    files = write_dicom(_heart(), folder, Layout.SIEMENS, study_uid=f"2.25.{4711 + number}")
    return {path: _identity(path) for path in files}


def _identity(path: Path) -> tuple[str, str]:
    dataset = dcmread(path)
    return str(dataset.SOPInstanceUID), content_digest(dataset)


def send(side: Side, files: list[Path], heard: Callable[[], None] = lambda: None) -> list[Answer]:
    """One association, which a refusal does not end; `heard` is called at each Success, as it comes."""
    titles = ["-aet", "SCANNER", "-aec", side.title, "-nh"]
    # line by line, so that an answer is heard when it comes
    command = [
        "stdbuf",
        "-oL",
        program("storescu"),
        "-v",
        *titles,
        "127.0.0.1",
        str(side.port),
        *map(str, files),
    ]
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as sender:
        assert sender.stdout is not None
        for line in sender.stdout:
            if _MARK in line:
                said.append(line.split(_MARK)[1].rstrip(")\n"))
                if said[-1] == "Success":
                    heard()
    said += [""] * (len(files) - len(said))
    return [Answer(path, one) for path, one in zip(files, said, strict=True)]
