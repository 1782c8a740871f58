"""Readers of DICOM that are not ours."""

import html
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.peers.presence import PIXELMED_JAR, program, require

_MANY = Path(__file__).with_name("PixelMedMany.java")
_BEGINS = "@@@ "
_JAVA = [  # the template rules are one large stylesheet: over Java's limits, and slow to optimise
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djdk.xml.xpathExprGrpLimit=0",
    "-Djdk.xml.xpathExprOpLimit=0",
    "-Djdk.xml.xpathTotalOpLimit=0",
]


@dataclass(frozen=True, slots=True)
class ObjectVerdict:
    """What dicom3tools said about one object, its Error and its Warning lines."""

    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def dciodvfy(path: Path) -> list[str]:
    """What dicom3tools finds wrong with an object: its Error lines, none for a valid one."""
    return list(object_verdict(path).errors)


def object_verdict(path: Path) -> ObjectVerdict:
    """What dciodvfy says about an object against its IOD; it must have recognised the IOD."""
    done = _run(program("dciodvfy"), str(path))
    lines = (done.stdout + done.stderr).splitlines()
    errors, warnings = (
        tuple(line for line in lines if line.startswith(kind)) for kind in ("Error", "Warning")
    )
    assert len(lines) > len(errors) + len(warnings), f"dciodvfy did not recognise {path}:\n" + "\n".join(
        lines
    )
    assert errors or done.returncode == 0, f"dciodvfy failed on {path}:\n" + "\n".join(lines)
    return ObjectVerdict(errors, warnings)


def dcentvfy(paths: Iterable[Path]) -> list[str]:
    """Where objects that should be of one patient, study and series contradict each other."""
    done = _run(program("dcentvfy"), *map(str, paths))
    lines = (done.stdout + done.stderr).splitlines()
    assert done.returncode == 0 or lines, "dcentvfy failed without a word"
    return [line for line in lines if line.startswith(("Error", "Warning"))]  # values may have line breaks


def dsrdump(path: Path, *, invalid_uids: bool = False) -> str:
    """The structured report as DCMTK reads it; fails if DCMTK cannot.

    With `invalid_uids` an item whose UID breaks the rules is read all the same.
    """
    done = _run(program("dsrdump"), "+Pl", *(["-Ee"] if invalid_uids else []), str(path))
    assert done.returncode == 0, f"dsrdump failed on {path}:\n{done.stdout}{done.stderr}"
    return done.stdout


def dsr2html(path: Path, *, invalid_uids: bool = False) -> str:
    """The text of the page that DCMTK renders, tags removed and spaces collapsed; `invalid_uids` as above."""
    done = _run(program("dsr2html"), "+U8", *(["-Ee"] if invalid_uids else []), str(path))
    assert done.returncode == 0, f"dsr2html failed on {path}:\n{done.stdout}{done.stderr}"
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", done.stdout)).split())


@dataclass(frozen=True, slots=True)
class PixelMedVerdict:
    """What PixelMed's SR validator said."""

    text: str

    @property
    def errors(self) -> list[str]:
        """Its error lines."""
        return [line for line in self.text.splitlines() if line.startswith("Error")]

    @property
    def warnings(self) -> list[str]:
        """Its warning lines."""
        return [line for line in self.text.splitlines() if line.startswith("Warning")]

    @property
    def root_template(self) -> str:
        """The template it recognised, for example TID_1500; empty if none."""
        mark = "Found Root Template "
        found = [line.split(mark)[1].strip() for line in self.text.splitlines() if mark in line]
        return found[0].split()[0] if found else ""


def pixelmed(*paths: Path) -> list[PixelMedVerdict]:
    """Check structured reports against their IODs and templates, template identifiers included.

    Compiling the rules takes about 10 seconds of processor time, a report a fraction of one: give all at once.
    """
    require("java", "pixelmed")
    done = _run(program("java"), *_JAVA, "-cp", str(PIXELMED_JAR), str(_MANY), *map(str, paths))
    said = done.stdout.split(_BEGINS)[1:]
    assert len(said) == len(paths), f"PixelMed failed:\n{done.stdout}{done.stderr}"
    for text in said:
        assert "IOD validation complete" in text, f"PixelMed failed:\n{text}"
        assert "unrecognized" not in text, f"PixelMed failed:\n{text}"
    return [PixelMedVerdict(text) for text in said]


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", timeout=300, check=False
    )
